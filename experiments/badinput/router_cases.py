"""Bad input of `prefillroute route`."""

from experiments.badinput.case import Case
from experiments.badinput.damage import cut, flipped, removed, replaced, written
from experiments.badinput.toy import CONTEXT_LENGTH

WEIGHTS = "runs/first/router/weights.safetensors"
MANIFEST = "runs/first/router/router.json"
LONG = "add 12 and 30, " * CONTEXT_LENGTH

CASES = (
    Case(
        "route: lambda above 1",
        lambda w: w.route("add 1 and 2", "--lambda", "1.5"),
        r"lambda.*\[0, 1\].*1\.5",
    ),
    Case("route: lambda is NaN", lambda w: w.route("add 1 and 2", "--lambda", "nan"), r"lambda.*nan"),
    Case("route: lambda is a word", lambda w: w.route("add 1 and 2", "--lambda", "some"), "some"),
    Case(
        "route: negative budget", lambda w: w.route("x", "--policy", "budget", "--budget=-1"), r"budget.*-1"
    ),
    Case("route: unknown policy", lambda w: w.route("x", "--policy", "best"), "'best' .*budget.*lambda"),
    Case("route: policy without its value", lambda w: w.route("x", "--policy", "budget"), "--budget"),
    Case(
        "route: two policies at once",
        lambda w: w.route("x", "--lambda", "0.1", "--budget", "1"),
        "one policy",
    ),
    Case("route: unknown option", lambda w: w.route("x", "--lamda", "0.3"), "--lamda.*--lambda"),
    Case(
        "route: unknown target",
        lambda w: w.route("x", "--targets", "small,huge"),
        "small, medium, large.*huge",
    ),
    Case("route: empty prompt", lambda w: w.route("  "), "empty prompt"),
    Case("route: no prompt", lambda w: w.route(), "query or --file"),
    Case("route: prompt is not UTF-8", lambda w: w.route("caf\udce9"), "expected UTF-8"),
    Case(
        "route: prompt longer than the context (works, says so)",
        lambda w: w.route(LONG),
        f"longer than the encoder's context.*{CONTEXT_LENGTH} tokens",
        status=0,
    ),
    Case(
        "route: no bundle",
        lambda w: [*w.command("route"), "--router", "nowhere", "x"],
        "nowhere: expected a router bundle .*found no such folder",
    ),
    Case("route: weights: one bit flipped", lambda w: w.route("x"), "weights.*damaged", flipped(WEIGHTS)),
    Case("route: weights: last byte", lambda w: w.route("x"), "weights.*damaged", flipped(WEIGHTS, 0.99999)),
    Case(
        "route: weights cut short",
        lambda w: w.route("x"),
        r"weights.*expected \d+ bytes, found",
        cut(WEIGHTS),
    ),
    Case("route: weights missing", lambda w: w.route("x"), "weights.*No such file", removed(WEIGHTS)),
    Case("route: router.json: one bit flipped", lambda w: w.route("x"), "router.json", flipped(MANIFEST)),
    Case(
        "route: router.json cut short",
        lambda w: w.route("x"),
        "router.json: damaged or truncated",
        cut(MANIFEST),
    ),
    Case(
        "route: bundle of another version",
        lambda w: w.route("x"),
        "expected format_version 1 or 2, found 99",
        replaced(MANIFEST, '"format_version": 2', '"format_version": 99'),
    ),
    Case(
        "route: price edited by hand",
        lambda w: w.route("x"),
        "damaged or edited",
        replaced(MANIFEST, '"price_in": 3.0', '"price_in": 0.3'),
    ),
    Case("route: encoder is gone", lambda w: w.route("add 1 and 2"), "encoder", removed("encoder/*")),
    Case(
        "route: encoder's template changed",
        lambda w: w.route("add 1 and 2"),
        "chat_template",
        replaced("encoder/chat_template.jinja", "<|user|>", "<|user|> "),
    ),
    Case(
        "route --file: not UTF-8",
        lambda w: w.route("--file", "q.txt", "--out", "d.jsonl"),
        r"q\.txt: line 2: expected UTF-8, found byte 0xff",
        written("q.txt", b"add 1 and 2\n\xff\xfe\n"),
    ),
    Case(
        "route --file: empty lines only",
        lambda w: w.route("--file", "q.txt", "--out", "d.jsonl"),
        r"q\.txt: expected at least one query, found none",
        written("q.txt", b"\n \n\n"),
    ),
    Case(
        "route --file: no prompt column",
        lambda w: w.route("--file", "data/tiny/outcomes.parquet", "--out", "d.jsonl"),
        "expected a column 'prompt', found query_id, target",
    ),
    Case(
        "route --file: missing",
        lambda w: w.route("--file", "q.txt", "--out", "d.jsonl"),
        r"q\.txt: expected a file of queries .*found no such file",
    ),
    Case("route --file: no --out", lambda w: w.route("--file", "data/tiny/queries.parquet"), "--out"),
    Case(
        "route --out: unknown suffix",
        lambda w: w.route("--file", "data/tiny/queries.parquet", "--out", "d.csv"),
        r"expected a suffix among \.jsonl, \.parquet, found '\.csv'",
    ),
    Case(
        "route --out: read-only folder",
        lambda w: w.route("--file", "data/tiny/queries.parquet", "--out", "decisions/d.parquet"),
        "decisions: expected a writable folder, found Permission denied",
        read_only=("decisions",),
    ),
    Case(
        "route --out: disk full",
        lambda w: w.route("--file", "data/tiny/queries.parquet", "--out", "d.parquet"),
        r"d\.parquet: .*File too large; nothing was written",
        limit_bytes=2000,
    ),
    Case("route --check: not a run folder", lambda w: w.command("route", "--check", "data"), "data"),
)

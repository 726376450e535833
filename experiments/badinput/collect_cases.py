"""Bad input of `prefillroute collect`; nothing is listening where it would ask."""

from collections.abc import Callable

from experiments.badinput.case import Case
from experiments.badinput.workspace import Workspace

NOWHERE = "http://127.0.0.1:9/v1"


def _collect(*words: str, targets: str = "") -> Callable[[Workspace], list[str]]:
    """`prefillroute collect` for a pool of two targets on a file of one question."""
    facts = f"provider:local,base_url:'{NOWHERE}',price_in:1.0,price_out:2.0"
    pool = targets or f"[{{name:a,{facts}}},{{name:b,{facts}}}]"

    def command(workspace: Workspace) -> list[str]:
        given = ["pool=starter", f"pool.targets={pool}", "benchmark=file", "out=collected", *words]
        return workspace.command("collect", *given)

    return command


def _file(name: str, text: str) -> Callable[[Workspace], None]:
    def write(workspace: Workspace) -> None:
        path = workspace.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    return write


_asked = _file("questions.csv", "prompt,answer\nWhat is 1 + 1?,2\n")
_PATH = "benchmark.path=questions.csv"

CASES = (
    Case("collect: no questions named", _collect(), r"benchmark\.path: .*found null"),
    Case(
        "collect: file of questions missing",
        _collect("benchmark.path=none.csv"),
        r"none\.csv: expected .*found no such file",
    ),
    Case(
        "collect: no column `answer`",
        _collect(_PATH),
        "row 1: expected the columns prompt, answer, found prompt; add answer",
        _file("questions.csv", "prompt\nx\n"),
    ),
    Case(
        "collect: unknown benchmark",
        _collect("benchmark=gsm"),
        "benchmark: expected an option among .*found 'gsm'",
    ),
    Case(
        "collect: unknown scoring",
        _collect(_PATH, "benchmark.scoring=luck"),
        "scoring: expected one of .*found luck",
        _asked,
    ),
    Case(
        "collect: target without provider",
        _collect(_PATH, targets="[{name:a},{name:b}]"),
        "target 'a': expected a provider .*found none",
        _asked,
    ),
    Case(
        "collect: unknown provider",
        _collect(_PATH, targets="[{name:a,provider:acme},{name:b,provider:local}]"),
        "provider: expected an option among .*found 'acme'",
        _asked,
    ),
    Case(
        "collect: spend limit without prices",
        _collect(_PATH, "limits.spend_usd=1", targets="[{name:a,provider:local},{name:b,provider:local}]"),
        "target 'a': expected price_in and price_out, found none",
        _asked,
    ),
    Case(
        "collect: a spend limit that no answer fits",
        _collect(_PATH, "limits.spend_usd=0.001"),
        r"limits\.spend_usd: expected at least 0\.25\d+ USD, .*target 'a' may cost \(up to 128,000 tokens\), found "
        r"0\.001; set limits\.max_tokens=\d+ or less, or limits\.spend_usd=[\d.]+ or more",
        _asked,
    ),
    Case(
        "collect: a spend limit that no question fits, said by a dry run too",
        _collect(_PATH, "limits.spend_usd=0.0000001", "--dry-run"),
        r"limits\.spend_usd: .*target 'a' may cost .*; set limits\.spend_usd=[\d.]+ or more",
        _asked,
    ),
    Case(
        "collect: a spend limit of NaN",
        _collect(_PATH, "limits.spend_usd=nan"),
        "limits.spend_usd: .*nan",
        _asked,
    ),
    Case(
        "collect: a spend limit below zero",
        _collect(_PATH, "limits.spend_usd=-1", "--dry-run"),
        "limits.spend_usd",
        _asked,
    ),
    Case(
        "collect: half an emoji",
        _collect("benchmark.path=q.jsonl"),
        r"q\.jsonl: row 1: prompt: expected whole characters",
        _file("q.jsonl", '{"prompt": "cut \\ud83d", "answer": "x"}\n'),
    ),
    Case(
        "collect: a target named with commas has no provider",
        _collect(_PATH, targets="[{name:'x (a=1, b=2)'},{name:b}]"),
        r"""leave the target out with 'pool\.exclude=\["x \(a=1, b=2\)"\]'$""",
        _asked,
    ),
    Case(
        "collect: misspelt limit",
        _collect(_PATH, "limits.spend=1"),
        "limits: expected keys among .*, found 'spend'",
        _asked,
    ),
    Case(
        "collect: ledger that is none",
        _collect(_PATH),
        r"calls\.sqlite: expected a ledger of calls, found another file",
        lambda workspace: (_asked(workspace), _file("collected/collect/calls.sqlite", "x" * 2000)(workspace))[
            0
        ],
    ),
)

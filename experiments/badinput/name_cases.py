"""Text of users is text: names and prompts that rich, Hydra, YAML, a shell or a spreadsheet take for more."""

import re
import shlex
from collections.abc import Callable

from experiments.badinput import toy
from experiments.badinput.case import Case
from experiments.badinput.damage import Prepare, both, edited, ran, written
from experiments.badinput.import_cases import imported
from experiments.badinput.tables import calls, own_pool, table
from experiments.badinput.workspace import Workspace
from prefillroute.text.hints import hydra_value

MARKUP = ("o3[high]", "o3[low]", "claude[/think]", "openai/gpt-4o:free", ":smile: [bold red]x[/bold red]")
COMMAS = ("vllm/x (a=1, b=2)", "o3[high]", "plain")
ODD = ("文心一言, 4.5 [高]", "-leading", "<b>$x^2$</b>")
POOLS = ("2024", "1e3", "null", "on", "007", "a: b", "x,y", "it's", "模型池")
OWN_TARGETS = "[{name:a,price_in:1,price_out:1},{name:'vllm/y (a=1, b=2)',price_in:1,price_out:1}]"


def _show(*words: str, name: str = "mine") -> list[str]:
    return ["pool", "show", name, *words]


def _shown(name: str) -> Callable[[Workspace], list[str]]:
    return lambda workspace: workspace.command(*_show(name=name))


def _renamed() -> Prepare:
    """The outcomes of the toy's three targets under odd names."""
    names = dict(zip(toy.TARGETS, ODD, strict=True))
    return edited("outcomes.parquet", lambda frame: frame.assign(target=frame["target"].map(names)))


def _odd_targets() -> str:
    facts = (f"{{name:{hydra_value(name)},price_in:{n + 1},price_out:{n + 1}}}" for n, name in enumerate(ODD))
    return f"pool.targets=[{','.join(facts)}]"


def _piped(workspace: Workspace) -> list[str]:
    command = shlex.join(workspace.command(*_show(name="starter")))
    return ["bash", "-c", f"{command} | head -n 1"]


def _in_ascii(workspace: Workspace) -> list[str]:
    return ["/usr/bin/env", "PYTHONIOENCODING=ascii", *workspace.command(*_show())]


CASES = (
    Case(
        "name: brackets and emoji codes are shown as they are",
        lambda w: w.command(*_show()),
        rf"^{re.escape(MARKUP[0])} ",
        own_pool("mine", MARKUP),
        status=0,
        also=tuple(rf"^{re.escape(name)} " for name in MARKUP[1:]),
    ),
    Case(
        "name: brackets and emoji codes in an import",
        imported("[log] :smile:.csv", out="data/x[/y]"),
        r"^data/x\[/y\]/outcomes\.parquet: 4 queries, 5 targets, 20 outcomes",
        table("[log] :smile:.csv", calls(targets=MARKUP)),
        status=0,
        reads="data/x[/y]/pool.yaml",
        also=tuple(rf"name: '{re.escape(name)}'" for name in MARKUP),
    ),
    Case(
        "name: control characters and line breaks show as escapes",
        lambda w: w.command(*_show()),
        r"^o3\\x1b\[31m ",
        own_pool("mine", ("o3\x1b[31m", "two\nlines", "\u202egpj.exe")),
        status=0,
        also=(r"^two\\nlines ", r"^\\u202egpj\.exe "),
        never="[\x1b\u202e]",
    ),
    Case(
        "name: a terminal that has no such letters",
        _in_ascii,
        r"^\| \\u6587\\u5fc3\\u4e00\\u8a00 ",
        own_pool("mine", ("文心一言", "b")),
        status=0,
    ),
    Case("name: a reader that closes its pipe", _piped, "pool starter", status=0),
    Case(
        "name: markup in prompts",
        lambda w: w.route("add [/red] 1 :smile:", "[bold]spell[/bold] it"),
        r"^add \[/red\] 1 :smile:$",
        status=0,
        also=(r"^\[bold\]spell\[/bold\] it$",),
    ),
    Case(
        "name: odd names from training to the report",
        lambda w: w.train(_odd_targets()),
        "文心一言, 4.5 \\[高\\]",
        _renamed(),
        status=0,
        reads="runs/second/report.html",
        also=("-leading", "&lt;b&gt;"),
        never="Glyph",
    ),
    Case(
        "name: commas and a leading dash in --targets",
        lambda w: [
            *w.command("route", "add 1 and 2", "--json", "--router", "runs/named/router"),
            *("--targets", ODD[0], "--targets=-leading"),
        ],
        r'"confidence": \{"文心一言, 4\.5 \[高\]": [\d.]+, "-leading": [\d.]+\}',
        both(_renamed(), ran(lambda w: w.train(_odd_targets(), "report=false", run="named"))),
        status=0,
    ),
    Case(
        "name: a target with commas that the router lacks",
        lambda w: w.route("x", "--targets", COMMAS[0]),
        "targets: expected some of the router's small, medium, large, found 'vllm/x ",
    ),
    Case(
        "name: commas in pool.exclude, quoted (works)",
        lambda w: w.command(*_show('pool.exclude=["vllm/x (a=1, b=2)"]')),
        r'^excluded +"vllm/x \(a=1, b=2\)"',
        own_pool("mine", COMMAS),
        status=0,
    ),
    Case(
        "name: commas in pool.exclude without quotes",
        lambda w: w.command(*_show("pool.exclude=[vllm/x (a=1, b=2)]")),
        r"expected a value in Hydra's syntax, found another; put its entries in quotes: 'pool\.exclude=\[",
        own_pool("mine", COMMAS),
    ),
    Case(
        "name: brackets in pool.exclude without quotes",
        lambda w: w.command(*_show("pool.exclude=[o3[high]]")),
        r"""put its entries in quotes: 'pool\.exclude=\["o3\[high\]"\]'""",
        own_pool("mine", COMMAS),
    ),
    Case(
        "name: half of a name in pool.exclude",
        lambda w: w.command(*_show("pool.exclude=[o3]")),
        r'pool\.exclude: expected names among "vllm/x \(a=1, b=2\)", o3\[high\], plain, found \'o3\'',
        own_pool("mine", COMMAS),
    ),
    Case(
        "name: a target with commas and no outcomes",
        lambda w: w.command(*_show(f"pool.targets={OWN_TARGETS}")),
        r"""leave out what it lacks with 'pool\.exclude=\["vllm/y \(a=1, b=2\)"\]'$""",
        own_pool("mine"),
    ),
    *(
        Case(
            f"name: a pool called {name}",
            _shown(name),
            rf"^pool {re.escape(name)}: data/mine$",
            own_pool(name),
            status=0,
        )
        for name in POOLS
    ),
    Case(
        "name: training on a pool called 1e3 reads that pool",
        lambda w: w.command("train", "pool=1e3", "--cfg", "job", "--package", "pool"),
        "^name: .?1e3",
        own_pool("1e3"),
        status=0,
    ),
    *(
        Case(
            f"name: an import to data/{name} leaves a pool of that name",
            imported("log.csv", out=f"data/{name}"),
            rf"^name: '{re.escape(name)}'$",
            table("log.csv", calls()),
            status=0,
            reads=f"data/{name}/pool.yaml",
        )
        for name in ("2024", "null", "a: b")
    ),
    Case(
        "name: a log whose name begins with a dash",
        imported("./-log.csv"),
        r"^import_hint: .*'?\./-log\.csv",
        table("-log.csv", calls()),
        status=0,
        reads="data/mine/pool.yaml",
    ),
    Case(
        "name: a log whose name begins with a dash, taken for an option",
        imported("-log.csv"),
        "import csv: .*PATH",
        table("-log.csv", calls()),
    ),
    Case(
        "name: a formula in a sweep's summary.csv",
        lambda w: w.train(
            "-m",  # behind other words, where Hydra's own parser refuses it
            *("signal=category", "head=constant", "report=false"),
            *("pool.import_hint=@sum,@mean", "hydra.sweep.dir=runs/sweep"),
        ),
        ",'@sum,",
        status=0,
        reads="runs/sweep/summary.csv",
        also=(",'@mean,",),
    ),
    Case(
        "name: a bundle in a folder with a bracket and a blank",
        lambda w: [*w.command("route"), "--router", "runs/no [such] folder", "x"],
        r"runs/no \[such\] folder: expected .*found no such folder",
    ),
    Case(
        "name: bytes of a file name that are no UTF-8",
        lambda w: w.route("--file", "caf\udce9.txt", "--out", "d.jsonl"),
        r"caf\\udce9\.txt: expected .*found no such file",
        written("q.txt", b"x\n"),
    ),
)

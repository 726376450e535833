"""Work that was lost or led nowhere: plain prompts, sweeps in their own folder, skeletons, hints, earlier tables."""

import json
import shutil

from experiments.badinput.case import Case
from experiments.badinput.damage import Prepare, both, ran, removed, written
from experiments.badinput.import_cases import imported
from experiments.badinput.tables import calls, table
from experiments.badinput.workspace import Workspace

CHEAP = ("signal=category", "head=constant", "report=false")
NOTES = tuple(f"runs/sweep/{job}/train.log" for job in (0, 1))
SUMMARY = tuple(
    f"runs/sweep/{name}" for name in ("sweep.json", "summary.csv", "summary.html", "multirun.yaml")
)


def _without_template(workspace: Workspace) -> None:
    """The encoder's tokenizer as that of a model that continues text."""
    for file in workspace.encoder.glob("chat_template*"):
        file.unlink()
    path = workspace.encoder / "tokenizer_config.json"
    config = json.loads(path.read_text("utf-8"))
    config.pop("chat_template", None)
    path.write_text(json.dumps(config), "utf-8")


def _without_cache(workspace: Workspace) -> None:
    shutil.rmtree(workspace.caches)


def _sweep(workspace: Workspace, *overrides: str) -> list[str]:
    return workspace.train("-m", *CHEAP, "hydra.sweep.dir=runs/sweep", *overrides)


_plain = both(_without_cache, _without_template)
_swept = ran(lambda w: _sweep(w, "calibration=none,platt"))


def _own_pool_elsewhere(count: int = 4) -> Prepare:
    """A log imported to a folder that is not below ``data``, and its skeleton copied as the message says."""

    def copied(workspace: Workspace) -> None:
        folder = workspace.root / "conf" / "pool"
        folder.mkdir(parents=True)
        shutil.copy(workspace.root / "elsewhere" / "mine" / "pool.yaml", folder / "mine.yaml")

    return both(
        table("my log.csv", calls(count=count)), ran(imported("my log.csv", out="elsewhere/mine")), copied
    )


CASES = (
    Case(
        "plain: a tokenizer without a chat template (works, says so)",
        lambda w: w.extract(),
        r"^caches/toy-plain\.h5: 160 queries",
        _plain,
        status=0,
        also=(r"no chat template; queries are fed as they stand \(encoder\.prompt_format=plain\)",),
    ),
    Case(
        "plain: a router is trained on the cache that there is",
        lambda w: w.train("report=false"),
        "best single target",
        both(_plain, ran(lambda w: w.extract())),
        status=0,
    ),
    Case(
        "plain: chat is asked for and there is none",
        lambda w: w.extract("encoder.prompt_format=chat"),
        "expected a tokenizer with a chat template, found none; use encoder.prompt_format=plain",
        _plain,
    ),
    Case(
        "plain: no such form",
        lambda w: w.extract("encoder.prompt_format=prose"),
        "encoder.prompt_format: expected chat, plain or null, found prose",
    ),
    Case(
        "plain: the form where it is no key",
        lambda w: w.extract("request.prompt_format=plain"),
        "request: expected keys among max_length, dtype, layers, poolings, storage_dtype, found 'prompt_format'$",
    ),
    Case(
        "plain: a run asks for the form that no cache has",
        lambda w: w.train("encoder.prompt_format=plain"),
        r"toy-plain\.h5: expected an activation cache, .*; make it with .* extract .*encoder\.prompt_format=plain",
    ),
    Case(
        "hint: the command that fills a cache has the run's own facts",
        lambda w: w.train("paths.caches=my caches"),
        r"make it with prefillroute extract encoder=smollm2_135m_hub pool=mmlu_pro_six encoder\.name=toy .*"
        r"'paths\.caches=my caches'",
    ),
    Case(
        "sweep: started again with a value more",
        lambda w: _sweep(w, "calibration=isotonic,platt,none"),
        "finished earlier",
        _swept,
        status=0,
        may_change=(*SUMMARY, *NOTES),
    ),
    Case(
        "sweep: started again with a value less",
        lambda w: _sweep(w, "calibration=platt"),
        "finished earlier",
        _swept,
        status=0,
        may_change=(*SUMMARY, *NOTES),
    ),
    Case(
        "sweep: a folder by hand that is another job's",
        lambda w: _sweep(w, "calibration=isotonic", "hydra.sweep.subdir=0"),
        r"runs/sweep/0: expected a folder of this job's own, found a job with calibration=none where .*"
        r"leave hydra\.sweep\.subdir out",
        _swept,
        may_change=(*SUMMARY, *NOTES),
    ),
    Case(
        "run: into the folder of a finished run, with other options",
        lambda w: w.train(*CHEAP, "calibration=none"),
        r"runs/second: expected a new folder, found a finished run with calibration=platt where this one has "
        r"calibration=none; take another hydra\.run\.dir, or delete this folder",
        ran(lambda w: w.train(*CHEAP, "calibration=platt")),
        may_change=("runs/second/train.log",),
    ),
    Case(
        "run: into the folder of a finished run, with the same options (works)",
        lambda w: w.train(*CHEAP, "calibration=platt"),
        "AUC",
        ran(lambda w: w.train(*CHEAP, "calibration=platt")),
        status=0,
        may_change=("runs/second/train.log", "runs/second/metrics.json"),  # which has timings
    ),
    Case(
        "sweep: unknown metric for its summary",
        lambda w: _sweep(w, "calibration=none", "hydra.callbacks.sweep_summary.sort_by=auc"),
        "sort_by: expected one of mean_auc, .*found auc",
    ),
    Case(
        "skeleton: of a folder elsewhere",
        imported("log.csv", out="elsewhere/mine"),
        "^outcomes: 'elsewhere/mine'$",
        table("log.csv", calls()),
        status=0,
        reads="elsewhere/mine/pool.yaml",
        also=(
            r"^import_hint: .*--out elsewhere/mine",
            r"next: complete elsewhere/mine/pool\.yaml and copy it to conf/pool/mine\.yaml",
        ),
    ),
    Case(
        "skeleton: copied as the message says",
        lambda w: w.command("pool", "show", "mine"),
        "^pool mine: elsewhere/mine$",
        _own_pool_elsewhere(),
        status=0,
    ),
    Case(
        "skeleton: the table is gone",
        lambda w: w.command("pool", "show", "mine"),
        r"make it with: prefillroute import csv 'my log\.csv' --out elsewhere/mine",
        both(_own_pool_elsewhere(), removed("elsewhere/mine/*.parquet")),
    ),
    Case(
        "skeleton: prices that were filled in stay",
        imported("log.csv", out="elsewhere/mine"),
        r"pool\.yaml has prices and stays as it is; delete it to get a new one",
        both(
            table("log.csv", calls()),
            written(
                "elsewhere/mine/pool.yaml",
                b"name: mine\ntargets: [{name: a, price_in: 1, price_out: 2, price_date: x}]\n",
            ),
        ),
        status=0,
    ),
    Case(
        "skeleton: no price yet, and training wants one",
        lambda w: w.command("train", "pool=mine", *CHEAP, "hydra.run.dir=runs/second"),
        "price|cost",
        _own_pool_elsewhere(60),
    ),
)

"""Misspelt and senseless configurations, and places that cannot be written."""

from experiments.badinput.case import Case
from experiments.badinput.damage import written

CASES = (
    Case("config: misspelt group", lambda w: w.train("calibraton=platt"), "calibration.*found 'calibraton'"),
    Case("config: misspelt option", lambda w: w.train("calibration=plat"), "isotonic.*platt.*found 'plat'"),
    Case("config: misspelt key", lambda w: w.train("num_fold=3"), "num_folds.*found 'num_fold'"),
    Case("config: misspelt nested key", lambda w: w.train("pool.exlude=[]"), "exclude.*found 'exlude'"),
    Case("config: misspelt argument", lambda w: w.train("+head.dropot=0.1"), "dropout.*found 'dropot'"),
    Case("config: a word for a number", lambda w: w.train("num_folds=many"), "num_folds.*many"),
    Case("config: one fold", lambda w: w.train("num_folds=1"), "num_folds.*1"),
    Case("config: lambda outside [0, 1]", lambda w: w.train("policy.lambda_=1.5"), r"lambda.*1\.5"),
    Case(
        "config: layer outside the encoder",
        lambda w: w.train("layers=fixed", "layers.depth=1.5"),
        r"depth.*1\.5",
    ),
    Case(
        "config: key of another option",
        lambda w: w.train("layers=fixed", "layers.dims=[4]"),
        "depth.*found 'dims'",
    ),
    Case("config: test_size of 1", lambda w: w.train("split.test_size=1.0"), "test_size"),
    Case(
        "config: unknown benchmark",
        lambda w: w.train("split=leave_one_benchmark_out", "split.benchmark=x"),
        "toy",
    ),
    Case("config: unknown device", lambda w: w.train("trainer.accelerator=tpuu"), "tpuu"),
    Case("config: unknown subcommand", lambda w: w.command("rout"), "rout.*route"),
    Case("config: no subcommand", lambda w: w.command(), "command|COMMAND"),
    Case("run: read-only folder", lambda w: w.train(), "runs|Permission", read_only=("runs",)),
    Case("run: disk full", lambda w: w.train(), "File too large|cannot be written", limit_bytes=30000),
    Case(
        "run: a file stands where the folder goes",
        lambda w: w.train(),
        "runs/second",
        written("runs/second", b"x"),
    ),
)

"""The environments: variables as sites set them, other users, folders, homes, installations, interpreters."""

import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Callable
from dataclasses import replace

from experiments.badinput import confine
from experiments.environments.case import Case, NotRun, Place, everything, train_and_route

SLURM = {
    "SLURM_JOB_ID": "4711",
    "SLURM_JOB_NAME": "train",
    "SLURM_NTASKS": "1",
    "SLURM_NTASKS_PER_NODE": "1",
    "SLURM_NNODES": "1",
    "SLURM_NODELIST": "node[1-2]",
    "SLURM_CPUS_PER_TASK": "1",
    "SLURM_PROCID": "0",
    "SLURM_LOCALID": "0",
    "SLURM_NODEID": "0",
}
SECOND_TASK = {
    "SLURM_NTASKS": "4",
    "SLURM_NTASKS_PER_NODE": "4(x2)",
    "SLURM_NNODES": "2",
    "SLURM_PROCID": "1",
    "SLURM_LOCALID": "1",
}
WANDB = {"WANDB_MODE": "offline", "WANDB_PROJECT": "theirs", "WANDB_ENTITY": "us", "WANDB_DISABLED": "true"}
HUB = {"HF_HOME": "/nonexistent/hub", "HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}
ASCII = {"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


def variables(**values: str) -> Callable[[Place], Place]:
    """The plain place with these variables."""
    return lambda place: replace(place, variables=place.variables | values)


def with_srun(place: Place) -> Place:
    """An executable `srun` on the PATH: Lightning looks for one and does not run it."""
    command = place.home / "bin" / "srun"
    command.parent.mkdir()
    command.write_text("#!/bin/sh\nexit 1\n")
    command.chmod(0o755)
    return replace(
        place, variables=place.variables | {"PATH": f"{command.parent}:{place.environment()['PATH']}"}
    )


def other_folder(place: Place) -> Place:
    """User's folder and checkout below a name with blanks and letters beyond ASCII."""
    home = place.home / "Meine Äpfel 日本 (2)"
    home.mkdir()
    root = place.root.rename(home / "work files")
    checkout = home / "pre fill"
    for name in ("prefillroute", "conf", "experiments", "tests"):
        shutil.copytree(place.checkout / name, checkout / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("train.py", "pyproject.toml", "Makefile", "README.md"):
        shutil.copy(place.checkout / name, checkout / name)
    (home / "home").mkdir()
    return replace(place, home=home, root=root, checkout=checkout)


def read_only_home(place: Place) -> Place:
    """A home in which nothing can be made: caches of matplotlib, Hugging Face and torch find no place."""
    (place.home / "home").chmod(0o555)
    return replace(place, prefix=(sys.executable, confine.__file__, "--read-only", "--"))


def other_user(place: Place) -> Place:
    """Neither root nor the owner of pool, encoder and package, and without an entry in the list of users."""
    if subprocess.run(["id", "-u"], capture_output=True, text=True, check=True).stdout.strip() != "0":
        raise NotRun("only root can run commands as another user")
    if shutil.which("setpriv") is None:
        raise NotRun("setpriv is missing (util-linux)")
    number = "23456"
    who = ("setpriv", f"--reuid={number}", f"--regid={number}", "--clear-groups")
    # A home that others may not enter can hold the interpreter: then the right to read everything is kept.
    reads = ("--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search")
    readable = subprocess.run(
        [*who, sys.executable, "-c", ""], cwd="/", capture_output=True, check=False
    ).returncode
    for file in (place.root / "encoder").iterdir():
        file.chmod(0o644)  # safetensors writes for its owner alone
    for folder in (place.home, place.root, place.home / "home"):
        shutil.chown(folder, int(number), int(number))
    return replace(place, prefix=(*who, *reads) if readable else who)


def wheel(place: Place) -> Place:
    """The package installed from its wheel, over this environment's other packages, outside any checkout."""
    base = place.home / "installed"
    built = _quietly(sys.executable, "-m", "pip", "wheel", "--no-deps", "-w", base, place.checkout)
    if built:
        raise NotRun(f"the wheel cannot be built: {built}")
    venv.create(base / "venv", with_pip=False)
    python = base / "venv" / "bin" / "python"
    # After the wheel's own folder, so that an editable installation does not come first; its hooks are not run.
    site = next((base / "venv").glob("lib/python*/site-packages"))
    others = [sysconfig.get_path("purelib"), *(path for path in sys.path if path.endswith("site-packages"))]
    (site / "others.pth").write_text("\n".join(dict.fromkeys(others)))
    (file,) = base.glob("*.whl")
    if fault := _quietly(
        sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--ignore-installed", file
    ):
        raise NotRun(f"the wheel cannot be installed: {fault}")
    return replace(place, python=python, variables=place.variables | {"PYTHONPATH": ""})


def installed(place: Place, _: tuple[str, ...]) -> str:
    """What needs no checkout: help, the shipped pool, an import, and the toy training where `train` is a command."""
    command = str(place.python.parent / "prefillroute")
    where = place.run(
        str(place.python),
        "-c",
        f"import prefillroute as p; assert {str(place.home)!r} in p.__file__, p.__file__",
    )
    own = place.root / "own.csv"
    own.write_text("query_id,prompt,target,correct\nq1,What is 2 + 3?,a,1\nq2,Spell cat.,a,0\n")
    faults = [
        where,
        place.run(command, "--help"),
        place.run(command, "pool", "show", "starter"),
        place.run(command, "import", "csv", "own.csv", "--out", "data/own"),
    ]
    return next((fault for fault in faults if fault), "")


def python(version: str) -> Callable[[Place], Place]:
    """Another interpreter, with the package's requirements in ``.venv-VERSION`` of the checkout."""

    def prepare(place: Place) -> Place:
        found = place.checkout / f".venv-{version}" / "bin" / "python"
        if not found.exists():
            name = found.parents[1].name
            raise NotRun(f"no {name}: make PYTHON=python{version} VENV={name} {name}/.installed")
        return replace(place, python=found)

    return prepare


def _quietly(*command: object) -> str:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    return (done.stderr or done.stdout).strip().splitlines()[-1] if done.returncode else ""


def _one_after_another(*steps: Callable[[Place], Place]) -> Callable[[Place], Place]:
    def prepare(place: Place) -> Place:
        for step in steps:
            place = step(place)
        return place

    return prepare


def _trains(place: Place, _: tuple[str, ...]) -> str:
    return train_and_route(place)


CASES = (
    Case(
        "a SLURM task, srun, W&B, offline hub, C locale, read-only home",
        _one_after_another(
            with_srun, variables(**{**SLURM, **SECOND_TASK, **WANDB, **HUB, **ASCII}), read_only_home
        ),
        _trains,
        in_ci=True,
    ),
    Case("plain", lambda place: place, everything),
    Case("srun on the PATH", with_srun, everything),
    Case("SLURM job", _one_after_another(with_srun, variables(**SLURM)), everything),
    Case("SLURM, second of four tasks", variables(**{**SLURM, **SECOND_TASK}), everything),
    Case("WANDB_*", variables(**WANDB), everything),
    Case("HF_HOME elsewhere, hub offline", variables(**HUB), everything),
    Case("CUDA_VISIBLE_DEVICES empty", variables(CUDA_VISIBLE_DEVICES=""), everything),
    Case("CUDA_VISIBLE_DEVICES=0", variables(CUDA_VISIBLE_DEVICES="0"), everything),
    Case("CUDA_VISIBLE_DEVICES=GPU-none", variables(CUDA_VISIBLE_DEVICES="GPU-none"), everything),
    Case("OMP_NUM_THREADS=1", variables(OMP_NUM_THREADS="1"), everything),
    Case("OMP_NUM_THREADS=4,2", variables(OMP_NUM_THREADS="4,2"), everything),
    Case("PYTHONWARNINGS=error", variables(PYTHONWARNINGS="error"), everything),
    Case("PYTHONWARNINGS=default", variables(PYTHONWARNINGS="default::DeprecationWarning"), everything),
    Case("LANG=C", variables(**ASCII), everything),
    Case("LC_ALL=POSIX", variables(**{**ASCII, "LC_ALL": "POSIX"}), everything),
    Case("path with blanks and other letters", other_folder, everything),
    Case("read-only home", read_only_home, everything),
    Case("no home", variables(HOME="/nonexistent/home"), everything),
    Case("another user", other_user, everything),
    Case("installed wheel", wheel, installed, in_ci=True),
    *(Case(f"Python {version}", python(version), everything) for version in ("3.11", "3.12", "3.13")),
)

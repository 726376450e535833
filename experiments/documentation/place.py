"""A place in which the commands of the documentation run as they are written, on less data and for fewer epochs.

`origin` is a repository like this one whose starter pool has fewer questions and whose trainers stop sooner; `MMLU-Pro`
is a small repository in the owners' layout, which git finds under the owners' address.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml

from experiments.documentation.blocks import Block

ROOT = Path(__file__).resolve().parents[2]
NUM_QUESTIONS = 120
NUM_EPOCHS = 10
MMLU_PRO = "https://github.com/TIGER-AI-Lab/MMLU-Pro"


@dataclass(frozen=True)
class Place:
    """Where a page is followed."""

    root: Path
    environment: dict[str, str]

    @property
    def origin(self) -> Path:
        """What a reader clones."""
        return self.root / "origin"

    def run(self, block: Block, folder: Path, where: str) -> Path:
        """Run a block in a folder; returns the folder in which a reader then stands.

        Raises:
            AssertionError: the block failed, or nothing says what it is.
        """
        text = block.text.replace("<this repository>", str(self.origin))
        stands = self.root / "stands"
        commands = {
            "bash": ["bash", "-euo", "pipefail", "-c", f'{text}\npwd > "{stands}"'],
            "python": ["python", "-c", text],
        }
        assert block.language in commands, (
            f"{where}: say above the block which file it is, or why it is not run"
        )
        done = subprocess.run(
            commands[block.language],
            cwd=folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{where}\n{text}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return Path(stands.read_text(encoding="utf-8").strip()) if block.language == "bash" else folder


def build(root: Path) -> Place:
    """Write the repositories and an environment with one folder for all caches."""
    _write_origin(root / "origin")
    _write_mmlu_pro(root / "MMLU-Pro")
    environment = _environment(root)
    for repository in ("origin", "MMLU-Pro"):
        for command in (
            ["git", "init", "-q", "-b", "main"],
            ["git", "add", "-A"],
            ["git", "commit", "-q", "-m", "as found"],
        ):
            subprocess.run(command, cwd=root / repository, env=environment, check=True)
    return Place(root, environment)


def _write_origin(folder: Path) -> None:
    """Copy what git tracks or would track, and cut the starter pool short."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in listed.stdout.decode().split("\0"):
        if name and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    pool = folder / "conf" / "pool" / "starter.yaml"
    pool.write_text(pool.read_text(encoding="utf-8") + f"\nmax_queries: {NUM_QUESTIONS}\n", encoding="utf-8")
    for trainer in (folder / "conf" / "trainer").glob("*.yaml"):
        text = re.sub(
            r"^max_epochs: \d+", f"max_epochs: {NUM_EPOCHS}", trainer.read_text("utf-8"), flags=re.MULTILINE
        )
        trainer.write_text(text, encoding="utf-8")


def _write_mmlu_pro(folder: Path) -> None:
    """Write answers of every target of the MMLU-Pro pools to made-up questions, as the owners' zips hold them."""
    rng = np.random.default_rng(0)
    targets = yaml.safe_load((ROOT / "conf" / "pool" / "mmlu_pro_all.yaml").read_text(encoding="utf-8"))[
        "targets"
    ]
    skills = np.linspace(0.9, 0.3, len(targets))
    subjects = ("math", "law", "history")
    (folder / "eval_results").mkdir(parents=True)
    for target, skill in zip(targets, skills, strict=True):
        records = []
        for number in range(NUM_QUESTIONS):
            right = rng.random() < skill - 0.2 * (number % 3)
            records.append(
                {
                    "question_id": number,
                    "question": f"Which number follows {number * 7}?",
                    "options": [str(number * 7 + step) for step in (2, 1, 3)],
                    "answer": "B",
                    "category": subjects[number % 3],
                    "pred": "B" if right else "A",
                    "model_outputs": "x" * int(rng.integers(40, 400)),
                }
            )
        name = f"model_outputs_{target['name']}_5shots"
        with zipfile.ZipFile(folder / "eval_results" / f"{name}.zip", "w") as archive:
            archive.writestr(f"{name}.json", json.dumps(records))


def _environment(root: Path) -> dict[str, str]:
    """The installed environment under the names that the Makefile uses, importing the clone that one stands in."""
    venv = root / "venv"
    (venv / "bin").mkdir(parents=True)
    for script in Path(sysconfig.get_path("scripts")).iterdir():
        if not script.name.startswith("python"):
            (venv / "bin" / script.name).symlink_to(script)
    # Not a link: Python finds its environment beside the name that it is called by.
    (venv / "bin" / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', encoding="utf-8")
    (venv / "bin" / "python").chmod(0o755)
    stamp = venv / ".installed"
    stamp.touch()
    os.utime(stamp, (2**32, 2**32))  # newer than whatever is cloned: make has nothing to install
    return {
        **os.environ,
        "PATH": f"{venv / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "VENV": str(venv),
        "PREFILLROUTE_VENV": str(venv),
        "PYTHON": sys.executable,
        "PYTHONPATH": ".",
        "PREFILLROUTE_CACHES": str(root / "caches"),
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1"),
        "COLUMNS": "200",
        "HF_ENDPOINT": "http://127.0.0.1:9",
        "GIT_CONFIG_COUNT": "3",
        "GIT_CONFIG_KEY_0": f"url.{root / 'MMLU-Pro'}.insteadOf",
        "GIT_CONFIG_VALUE_0": MMLU_PRO,
        "GIT_CONFIG_KEY_1": "user.name",
        "GIT_CONFIG_VALUE_1": "reader",
        "GIT_CONFIG_KEY_2": "user.email",
        "GIT_CONFIG_VALUE_2": "reader@example.org",
    }

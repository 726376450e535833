"""Proves, before anything is paid for, that programs are isolated on this machine."""

import functools
import json
import os
import sys
from pathlib import Path

from prefillroute.errors import UserError
from prefillroute.harness.sandbox.box import Sandbox
from prefillroute.harness.sandbox.isolation import WANTED, clean_environment
from prefillroute.harness.sandbox.limits import Limits

PROCESSES = 6
OWN_FILES = {"usr", "bin", "lib", "lib32", "lib64", "dev", "etc", "inner", "packages", "proc", "tmp"}
# The probe tries what a hostile program would try first. It only reports; the verdict is reached outside.
PROBE = (
    f"PROCESSES = {PROCESSES}\n"
    + r"""
import ctypes, json, os, signal, socket

facts = {"environment": sorted(os.environ), "interfaces": [name for _, name in socket.if_nameindex()]}
with open("/proc/self/status") as file:
    status = dict(line.split(":", 1) for line in file)
facts["capabilities"] = max(int(status[name], 16) for name in ("CapPrm", "CapEff", "CapBnd", "CapAmb"))
facts["new privileges"] = int(status["NoNewPrivs"]) == 0
facts["user namespaces"] = ctypes.CDLL(None).unshare(0x10000000) == 0
facts["writable"] = [folder for folder in ("/", "/usr", "/packages", "/dev") if os.access(folder, os.W_OK)]
facts["files"] = os.listdir("/")
children = []
try:
    while len(children) < 50:
        child = os.fork()
        if child == 0:
            signal.pause()
        children.append(child)
except BlockingIOError:
    pass
facts["fork bomb"] = len(children) >= PROCESSES
for child in children:
    os.kill(child, signal.SIGKILL)
print(json.dumps(facts))
"""
)


@functools.cache
def check_isolation() -> None:
    """Run a harmless program that tries what must be impossible; takes about 0.2 s, once per process.

    Raises:
        UserError: some restriction is not in force; names it and what would help.
    """
    limits = Limits(cpu_seconds=5, wall_seconds=20, processes=PROCESSES)
    with Sandbox(PROBE, limits=limits, packages=()) as sandbox:
        run = sandbox.run("")
    if run.reason != "ok":
        raise UserError(
            f"sandbox: expected its own check to end well, found '{run.reason}' ({run.stderr.strip()[-200:]}); {WANTED}"
        )
    wanted = {
        "environment": sorted(clean_environment()),
        "interfaces": ["lo"],
        "capabilities": 0,
        "new privileges": False,
        "user namespaces": False,
        "writable": [],
        "files": [],
        "fork bomb": False,
    }
    found = json.loads(run.stdout)
    own_files = OWN_FILES | {Path(os.path.realpath(sys.base_prefix)).parts[1]}
    found["files"] = sorted(set(found["files"]) - own_files)
    for name, value in wanted.items():
        if found.get(name) != value:
            raise UserError(f"sandbox: {name}: expected {value!r}, found {found.get(name)!r}; {WANTED}")

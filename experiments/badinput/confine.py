"""Run a command on a machine that is worse than this one: `confine.py [--file-bytes N] [--read-only] -- COMMAND`.

`--file-bytes` lets no file grow beyond N bytes, as a full disk would. `--read-only` takes from root the right to
write where the mode of a folder forbids it; a plain user never has that right.
"""

import argparse
import ctypes
import os
import resource
import sys

PR_CAPBSET_DROP, CAP_DAC_OVERRIDE = 24, 1


def main() -> None:
    """Set the limits, then become the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--file-bytes", type=int)
    parser.add_argument("--read-only", action="store_true")
    parser.add_argument("command", nargs="+")
    arguments = parser.parse_args()
    if arguments.file_bytes is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (arguments.file_bytes, arguments.file_bytes))
    if arguments.read_only and os.geteuid() == 0:
        system = ctypes.CDLL(None, use_errno=True)
        if system.prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, 0, 0, 0) != 0:
            sys.exit(f"cannot give up the right to write anywhere: {os.strerror(ctypes.get_errno())}")
    os.execv(arguments.command[0], arguments.command)


if __name__ == "__main__":
    main()

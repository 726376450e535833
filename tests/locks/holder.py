"""Run as a process of its own: `holder.py LOCK` takes the lock, says so, and holds it until it is ended."""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from prefillroute.locks.file_lock import FileLock

if __name__ == "__main__":
    with FileLock(Path(sys.argv[1]), "shard.h5"):
        print("held", flush=True)
        time.sleep(600)

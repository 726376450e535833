"""Builds the command that starts process 1 of a sandbox in new namespaces, with a nearly empty root of its own.

There are two ways to get there. An ordinary user gets a user namespace, in which mounting is allowed. Root does not
need one; the program then runs under a user id that nobody has. No limit on processes applies to the machine's root,
not even inside a user namespace, whereas a fresh id has a process count of its own.
"""

import os
import secrets
import shutil
import sys
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

from prefillroute.errors import UserError
from prefillroute.harness.sandbox.limits import Limits

TOOLS = ("unshare", "mount", "umount", "pivot_root", "chroot", "setpriv")
SEARCH_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
WANTED = (
    "a model's program never runs without isolation, which needs Linux 5.14, util-linux 2.38 (or later) and "
    "namespaces; allow them with `sysctl -w kernel.apparmor_restrict_unprivileged_userns=0` on Ubuntu, `sysctl -w "
    "kernel.unprivileged_userns_clone=1` on older Debian, or `docker run --privileged` for a container"
)
READ_ONLY = "rbind,ro,nosuid,nodev,x-mount.mkdir"

# The new root is assembled on /sys, whose contents are not needed. One `mount -a` does most of the work, because each
# tool takes milliseconds to start; without -n it would write into the host's /run/mount. The root is mounted a second
# time, on /inner, and entered by chroot: the kernel refuses a new user namespace, and with it every capability, to a
# process whose root is not that of its mount namespace.
SETUP = r"""
set -eu
umask 022
python=$1 user=$2 table=$3 links=$4
mount -n -t tmpfs -o size=1m,mode=755 tmpfs /sys
cd /sys
mkdir dev etc inner old
: > dev/null; : > dev/zero; : > dev/urandom
for link in $links; do ln -s "${link%%:*}" "${link#*:}"; done
if [ -f /etc/ld.so.cache ]; then cat /etc/ld.so.cache > etc/ld.so.cache; fi
printf '%s' "$table" > etc/fstab
mount -n -a -T etc/fstab
pivot_root . old
umount -n -l /old
rm -d etc/fstab old
mount -n -o remount,bind,ro,nosuid,nodev none /
mount -n --rbind / /inner
unset PWD OLDPWD
exec chroot /inner setpriv ${user:+--reuid=$user --regid=$user --clear-groups} \
    --inh-caps=-all --ambient-caps=-all --bounding-set=-all --no-new-privs --pdeathsig=KILL \
    "$python" -s -S -P -B -m inside.driver
"""


def start_command(limits: Limits, packages: Sequence[str]) -> list[str]:
    """Return the command that starts the driver as process 1 of new namespaces.

    Args:
        limits: only the size of /tmp is set here; the driver sets the others.
        packages: packages of this environment that programs may import; those not installed are left out.

    Raises:
        UserError: the system is not Linux, or a tool is missing.
    """
    if sys.platform != "linux":
        raise UserError(f"sandbox: expected Linux, found {sys.platform}; {WANTED}")
    missing = [tool for tool in TOOLS if shutil.which(tool, path=SEARCH_PATH) is None]
    if missing:
        raise UserError(f"sandbox: expected {', '.join(missing)} in {SEARCH_PATH}, found nothing; {WANTED}")
    python = os.path.realpath(getattr(sys, "_base_executable", "") or sys.executable)
    # No distribution gives an id of 2^30 or more to a person, a service or a container.
    user = str(2**30 + secrets.randbelow(2**30)) if _is_host_root() else ""
    return [
        *("unshare", *([] if user else ["--user", "--map-root-user"])),
        *("--mount", "--pid", "--net", "--ipc", "--uts", "--cgroup", "--fork", "--kill-child"),
        *("sh", "-c", SETUP, "sandbox", python, user, "".join(_mounts(limits, packages))),
        " ".join(f"{target}:{link}" for link, target in _links()),
    ]


def clean_environment() -> dict[str, str]:
    """The only environment variables inside the sandbox: no key, no token, no path of the user."""
    return {
        "PATH": SEARCH_PATH,
        "HOME": "/tmp",
        "LANG": "C.UTF-8",
        "PYTHONPATH": "/packages",
        "PYTHONHASHSEED": "0",  # so that an answer gets the same verdict every time
        "PYTHONUTF8": "1",
        "OPENBLAS_NUM_THREADS": "1",  # one per core would not fit the limits on processes and memory
        "OMP_NUM_THREADS": "1",
    }


def _is_host_root() -> bool:
    """Whether this is user 0 of the machine itself, rather than of a user namespace as in a rootless container."""
    return os.geteuid() == 0 and Path("/proc/self/uid_map").read_text().split() == ["0", "0", "4294967295"]


def _links() -> list[tuple[str, str]]:
    """Links to create, as (link, target): the host's top-level ones into /usr, and those that programs want in /dev."""
    names = [name for name in ("bin", "lib", "lib32", "lib64") if Path("/", name).is_symlink()]
    streams = [f"dev/{name}" for name in ("stdin", "stdout", "stderr")]
    return [
        *((name, os.readlink(f"/{name}")) for name in names),
        *(("dev/fd", "/proc/self/fd"), ("dev/random", "urandom")),
        *((stream, f"/proc/self/fd/{number}") for number, stream in enumerate(streams)),
    ]


def _mounts(limits: Limits, packages: Sequence[str]) -> Iterator[str]:
    """Yield the lines of an fstab that makes up the new root."""
    shown = [Path("/usr")]
    shown += [path for path in map(Path, ("/bin", "/lib", "/lib32", "/lib64")) if _is_folder(path)]
    prefix = Path(os.path.realpath(sys.base_prefix))
    if not prefix.is_relative_to("/usr"):
        shown.append(prefix)
    for path in shown:
        yield _mount(path, path, READ_ONLY)
    for folder in (Path(__file__).with_name("inside"), *(f for name in packages for f in _folders(name))):
        yield _mount(folder, Path("/packages", folder.name), READ_ONLY)
    for device in ("null", "zero", "urandom"):
        yield _mount(Path("/dev", device), Path("/dev", device), "bind")
    proc = (
        "subset=pid,nosuid,nodev,noexec,x-mount.mkdir"  # shows its own processes and nothing of the machine
    )
    yield f"proc /sys/proc proc {proc} 0 0\n"
    disk = f"size={limits.disk_mb * 10**6},nr_inodes=4096,mode=1777,nosuid,nodev,noexec,x-mount.mkdir"
    yield f"tmpfs /sys/tmp tmpfs {disk} 0 0\n"


def _mount(source: Path, target: Path, options: str) -> str:
    """One line of an fstab, in which white space and the like are written in octal."""
    escapes = str.maketrans({c: f"\\{ord(c):03o}" for c in " \t\n\\#"})
    return f"{str(source).translate(escapes)} {f'/sys{target}'.translate(escapes)} none {options} 0 0\n"


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _folders(package: str) -> list[Path]:
    """The folder of a package, and the folder of shared libraries that its wheel may have put beside it."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return []
    folder = Path(os.path.realpath(spec.submodule_search_locations[0]))
    return [path for path in (folder, folder.with_name(f"{package}.libs")) if path.is_dir()]

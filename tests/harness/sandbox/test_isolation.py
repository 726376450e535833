"""What a program cannot reach, and that without isolation nothing runs."""

import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

import prefillroute
from prefillroute.errors import UserError
from prefillroute.harness.sandbox import box, check, isolation
from prefillroute.harness.sandbox.box import Run, Sandbox

Runner = Callable[..., Run]
REPOSITORY = Path(prefillroute.__file__).resolve().parents[1]
SYSTEM_PYTHON = "/usr/bin/python3"


def test_nothing_of_the_host_can_be_written(run: Runner, tmp_path: Path) -> None:
    places = [
        "/",
        "/usr",
        "/usr/bin",
        "/etc",
        "/dev",
        "/packages",
        sys.base_prefix,
        *map(str, (REPOSITORY, tmp_path)),
    ]
    places += [
        os.path.expanduser("~"),
        "/var/tmp",
        "/dev/shm",
        "/root",
        "/home",
        "/inner",
        "/inner/usr",
        "/tmp",
    ]
    program = f"""
        for place in {places!r}:
            try:
                open(place + '/planted', 'w').write('x')
                print(place)
            except OSError:
                pass
        """
    assert run(program).stdout == "/tmp\n"
    assert not any(Path(place, "planted").exists() for place in places)


def test_nothing_of_the_user_can_be_read(
    run: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret").write_text("sk-file")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-environment")
    places = [
        str(tmp_path / "secret"),
        str(REPOSITORY),
        "/etc/passwd",
        "/etc/shadow",
        "/var",
        "/sys/kernel",
        "/run",
    ]
    places += [
        "/proc/1/environ",
        "/proc/1/mem",
        "/proc/cmdline",
        "/proc/kallsyms",
        "/proc/sys",
        "/old",
        "/dev/kmsg",
    ]
    program = f"""
        import os
        print(sorted(os.environ))
        for place in {places!r}:
            try:
                print(os.listdir(place) if os.path.isdir(place) else open(place).read())
            except OSError:
                pass
        """
    assert run(program).stdout == f"{sorted(isolation.clean_environment())}\n"


def test_the_network_is_out_of_reach(run: Runner) -> None:
    arrived = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            server.accept()[0].close()
            arrived.set()

        thread = threading.Thread(target=accept)
        thread.start()
        port = server.getsockname()[1]
        program = f"""
            import socket
            try:
                socket.create_connection(('127.0.0.1', {port}), 1)
            except OSError:
                print('refused')
            """
        assert (run(program).stdout, arrived.is_set()) == ("refused\n", False)
        socket.create_connection(("127.0.0.1", port), 5).close()  # it did listen
        thread.join(5)
        assert arrived.is_set()


def test_process_one_cannot_be_touched(run: Runner) -> None:
    program = """
        import ctypes, os
        for number in range(1, 65):
            try:
                os.kill(1, number)
            except OSError:
                pass
        print(ctypes.CDLL(None).ptrace(16, 1, 0, 0))
        for name in ('mem', 'environ', 'fd'):
            try:
                os.listdir('/proc/1/fd') if name == 'fd' else open('/proc/1/' + name, 'rb')
                print(name)
            except OSError:
                pass
        print(len(os.listdir('/proc/self/fd')) - 1)
        """
    result = run(program)
    assert (result.reason, result.stdout) == ("ok", "-1\n4\n")


def test_no_way_back_to_privileges(run: Runner) -> None:
    program = """
        import ctypes, os, resource
        libc = ctypes.CDLL(None)
        print(libc.unshare(0x10000000), libc.unshare(0x20000), libc.mount(b'none', b'/tmp', b'tmpfs', 0, None))
        print(libc.setuid(0) if os.getuid() else -1, libc.chroot(b'/tmp'))
        try:
            resource.setrlimit(resource.RLIMIT_NPROC, (1000, 1000))
        except ValueError:
            print('no')
        """
    assert run(program).stdout == "-1 -1 -1\n-1 -1\nno\n"


def test_without_isolation_nothing_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    planted = tmp_path / "planted"

    def refused() -> str:
        with pytest.raises(UserError) as error, Sandbox(f"open({str(planted)!r}, 'w')"):
            pytest.fail("started")
        assert not planted.exists()
        return str(error.value)

    no_mount = isolation.SETUP.replace("mount -n -a", "echo no such luck >&2; false")
    monkeypatch.setattr(isolation, "SETUP", no_mount)
    assert "no such luck" in refused()
    monkeypatch.setattr(isolation, "TOOLS", ("unshare", "no-such-tool"))
    assert "expected no-such-tool in" in refused()
    monkeypatch.setattr(isolation.sys, "platform", "darwin")
    assert "expected Linux, found darwin" in refused()
    assert "\n" not in refused()


@pytest.mark.parametrize(
    ("line", "without", "noticed"),
    [
        ("--bounding-set=-all", "", "capabilities"),
        ("--no-new-privs", "", "new privileges"),
        ("chroot /inner", "", "user namespaces"),
        ("umount -n -l /old", ":", "expected isolation on this machine, found none"),
        ("unset PWD", "export SECRET=1", "environment"),
        ("mount -n -o remount,bind,ro,nosuid,nodev none /\n", "chmod 777 /\n", "writable"),
    ],
)
def test_the_check_notices_what_is_not_in_force(
    monkeypatch: pytest.MonkeyPatch, line: str, without: str, noticed: str
) -> None:
    assert line in isolation.SETUP
    monkeypatch.setattr(isolation, "SETUP", isolation.SETUP.replace(line, without))
    with pytest.raises(UserError, match=noticed):
        check.check_isolation.__wrapped__()


def test_the_check_notices_an_open_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def with_network(*arguments: object) -> list[str]:
        return [part for part in isolation.start_command(*arguments) if part != "--net"]

    if len(socket.if_nameindex()) < 2:
        pytest.skip("this machine has no network either")
    monkeypatch.setattr(box, "start_command", with_network)
    with pytest.raises(UserError, match="interfaces"):
        check.check_isolation.__wrapped__()


@pytest.mark.skipif(
    os.geteuid() != 0 or not os.path.exists(SYSTEM_PYTHON), reason="needs root to become a user"
)
def test_a_user_without_rights_is_isolated_too() -> None:
    version = subprocess.run([SYSTEM_PYTHON, "-c", "import sys; sys.exit(sys.version_info < (3, 11))"])
    if version.returncode:
        pytest.skip("the system's Python is older than 3.11")
    folder = Path("/tmp") / f"prefillroute-sandbox-{os.getpid()}"  # other users cannot read pytest's folders
    try:
        for name in ("__init__.py", "errors.py", "harness/__init__.py"):
            (folder / "prefillroute" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(REPOSITORY / "prefillroute" / name, folder / "prefillroute" / name)
        shutil.copytree(REPOSITORY / "prefillroute/harness/sandbox", folder / "prefillroute/harness/sandbox")
        subprocess.run(["chmod", "-R", "a+rX", folder], check=True)
        code = "from prefillroute.harness.sandbox.check import check_isolation\ncheck_isolation()\nprint('isolated')"
        user = ["setpriv", "--reuid=64321", "--regid=64321", "--clear-groups"]
        done = subprocess.run(
            [*user, SYSTEM_PYTHON, "-B", "-c", code],
            cwd=folder,
            env={"PATH": isolation.SEARCH_PATH},
            capture_output=True,
            text=True,
        )
        if "expected isolation on this machine" in done.stderr:
            pytest.skip(done.stderr.splitlines()[-1])
        assert done.stdout == "isolated\n", done.stderr
    finally:
        shutil.rmtree(folder)

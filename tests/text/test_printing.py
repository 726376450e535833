"""What is printed: every text in one line, on every stream."""

import io
import json
import logging
import logging.config
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from rich.progress import Progress
from rich.table import Table

from prefillroute.config.search import conf_dir
from prefillroute.text.printing import LogFormatter, say, say_json
from prefillroute.text.screen import Screen, Words
from prefillroute.text.visible import encodable, hidden, visible
from tests.hostile import BROKEN, TEXTS


def stream(encoding: str = "utf-8") -> io.TextIOWrapper:
    """As a terminal has it: characters that the encoding lacks raise."""
    return io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="strict", write_through=True)


def written(file: io.TextIOWrapper) -> str:
    return file.buffer.getvalue().decode(file.encoding)


@given(BROKEN)
def test_nothing_hidden_is_left_and_signs_stay(text: str) -> None:
    shown = visible(text)
    assert not any(map(hidden, shown))
    assert [c for c in shown if ord(c) > 127] == [c for c in text if ord(c) > 127 and not hidden(c)]
    assert shown.isascii() or shown.encode("utf-8")
    if not any(map(hidden, text)):
        assert shown == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("o3[high] :smile: 文心一言 שלום 👩\u200d🔬 –", None),
        ("\x1b[31mred\x07", "\\x1b[31mred\\x07"),
        ("a\nb\tc\r", "a\\nb\\tc\\r"),
        ("\u202egpj.exe", "\\u202egpj.exe"),
        ("cut \ud83d", "cut \\ud83d"),
        ("\U000e0041\u2028\ufffe", "\\U000e0041\\u2028\\ufffe"),
    ],
)
def test_what_is_shown_of_a_text(text: str, shown: str | None) -> None:
    assert visible(text) == (text if shown is None else shown)


@given(BROKEN)
def test_a_line_is_a_line_on_every_stream(text: str) -> None:
    for encoding in ("utf-8", "ascii", "latin-1", "cp1252"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "stdout", file := stream(encoding))
            say(text)
        assert written(file).splitlines(keepends=True) == [encodable(visible(text), encoding) + "\n"]


@given(BROKEN)
def test_json_is_read_again_as_it_was_and_moves_no_cursor(text: str) -> None:
    for encoding in ("utf-8", "ascii"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "stdout", file := stream(encoding))
            say_json({"target": text})
        (line,) = written(file).splitlines()
        assert json.loads(line) == {"target": text}
        assert not any(map(hidden, line))


@given(TEXTS, TEXTS)
def test_tables_show_names_as_they_are(title: str, name: str) -> None:
    for encoding in ("utf-8", "ascii"):
        screen = Screen(file=(file := stream(encoding)), columns=2000)
        table = Table(title=title)
        table.add_column(name)
        table.add_row(name)
        table.add_row(screen.lines(name, "second"))
        screen.print(table)
        screen.print(screen.styled((name, "bold"), name))
        screen.print(name)
        said = written(file)
        shown = screen.shown(name)
        assert said.count(shown) >= 6 or not shown.strip()
        assert screen.shown(title).strip() in said
        assert not any(map(hidden, said.replace("\n", "")))


@given(TEXTS)
def test_bars_show_names_as_they_are(name: str) -> None:
    screen = Screen(file=(file := stream()), columns=2000, terminal=True)
    with Progress(Words(), Words("note"), console=screen, auto_refresh=False) as bars:
        bars.add_task(name, note=name)
        bars.refresh()
    assert visible(name).rstrip() in written(file)
    assert "\x1b[31mred" not in written(file)


def test_both_modes_of_a_model_are_told_apart() -> None:
    screen = Screen(file=(file := stream()), columns=80)
    table = Table("target")
    for name in ("o3[high]", "o3[low]", "claude[/think]", "openai/gpt-4o:free"):
        table.add_row(name)
    screen.print(table)
    cells = [line.strip("│ ") for line in written(file).splitlines()]
    assert cells[3:7] == ["o3[high]", "o3[low]", "claude[/think]", "openai/gpt-4o:free"]


def test_a_name_longer_than_the_line_is_folded_and_not_cut() -> None:
    screen = Screen(file=(file := stream()), columns=60)
    table = Table()
    table.add_column("target", overflow="fold")
    table.add_column("accuracy", no_wrap=True)
    table.add_row("x" * 300, "0.1234")
    screen.print(table)
    assert written(file).count("x") == 300
    assert "0.1234" in written(file)


@given(BROKEN)
def test_log_lines_are_lines(text: str) -> None:
    record = logging.LogRecord("name", logging.INFO, "file.py", 1, "held %s", (text,), None)
    assert LogFormatter("[%(levelname)s] %(message)s").format(record) == f"[INFO] held {visible(text)}"


@pytest.mark.parametrize("group", ["job", "hydra"])
def test_the_log_that_ships_uses_them(group: str) -> None:
    text = (conf_dir() / "hydra" / f"{group}_logging" / "prefillroute.yaml").read_text()
    assert "class: logging.StreamHandler" not in text
    assert text.count("class: prefillroute.text.printing.LogFormatter") == text.count("format: '")


@pytest.mark.parametrize(
    ("encoding", "said"),
    [
        ("ascii", "o3[high] \\u6587 - lambda"),
        ("latin-1", "o3[high] \\u6587 - lambda"),
        ("utf-8", "o3[high] 文 – λ"),
    ],
)
def test_streams_of_every_encoding(encoding: str, said: str) -> None:
    done = run(
        "from prefillroute.text.printing import say; say('o3[high] 文 – λ')", PYTHONIOENCODING=encoding
    )
    assert (done.returncode, done.stdout.decode(encoding), done.stderr) == (0, f"{said}\n", b"")


LINES = """
import sys, logging
from prefillroute.config.guard import guarded
from prefillroute.text.printing import say, LogHandler
from prefillroute.text.screen import Screen
log = logging.getLogger("x"); log.addHandler(LogHandler(sys.stdout)); log.setLevel(logging.INFO)
def work():
    for number in range(30000):
        {how}
    sys.stderr.write("worked on")
    return 0
sys.exit(guarded(work))
"""


@pytest.mark.parametrize(
    "how", ["say(f'line {number}')", "Screen().print(f'line {number}')", "log.info('line %d', number)"]
)
def test_a_reader_that_leaves_is_no_error_and_the_work_goes_on(how: str) -> None:
    assert left_early(LINES.format(how=how)) == (b"line 0\n", b"worked on", 0)


def test_a_library_that_prints_to_a_closed_pipe_ends_quietly() -> None:
    assert left_early(LINES.format(how="print(number)")) == (b"0\n", b"", 141)


@pytest.mark.parametrize("name", ["o3[high]", "\x1b[31mred\x07", "cut \ud83d"])
def test_an_error_is_one_line_whatever_it_names(name: str) -> None:
    done = run(
        "import sys\nfrom prefillroute.config.guard import guarded\nfrom prefillroute.errors import UserError\n"
        f"def work():\n    raise UserError({name!a} + ' is bad')\nsys.exit(guarded(work))"
    )
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.decode() == f"error: {visible(name)} is bad\n"


def test_a_table_on_a_narrow_screen_loses_no_name_and_no_digit() -> None:
    table = Table()
    table.add_column("target", overflow="fold")
    for heading in ("accuracy", "USD"):
        table.add_column(heading, no_wrap=True)
    table.add_row("a-model-with-a-long-name", "0.123456789", "1234567.89")
    screen = Screen(file=(file := stream()), columns=30)
    screen.table(table)
    text = file.buffer.getvalue().decode()
    assert all(word in text for word in ("a-model-with-a-long-", "name", "0.123456789", "1234567.89"))
    assert screen.width == 30


def test_nothing_else_prints(tmp_path: Path) -> None:
    """The lint rules that `make lint` runs find every other way."""
    root = Path(__file__).resolve().parents[2]
    ways = (
        "print(1)", "from rich.console import Console", "from rich.text import Text", "import rich\nrich.print(1)",
        "from rich.progress import TextColumn", "from rich import print",
    )  # fmt: skip
    for way in ways:
        done = subprocess.run(
            [sys.executable, "-m", "ruff", "check", "--stdin-filename", "prefillroute/cli/new.py", "-"],
            input=f'"""Docs."""\n\n{way}\n', cwd=root, text=True, capture_output=True, check=False,
        )  # fmt: skip
        assert "TID251" in done.stdout or "T201" in done.stdout, way + done.stdout + done.stderr


def run(code: str, **environment: str) -> "subprocess.CompletedProcess[bytes]":
    with start(code, **environment) as process:
        out, error = process.communicate(timeout=60)
    return subprocess.CompletedProcess([], process.returncode, out, error)


def start(code: str, **environment: str) -> "subprocess.Popen[bytes]":
    root = str(Path(__file__).resolve().parents[2])
    environment = {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": root,
        "PYTHONUTF8": "0",
        "LC_ALL": "C.UTF-8",
        **environment,
    }
    return subprocess.Popen(
        [sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def left_early(code: str) -> tuple[bytes, bytes, int]:
    """First line of a program whose reader leaves after it, what it then says on standard error, its status."""
    with start(code) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        first = process.stdout.readline()
        process.stdout.close()
        return first, process.stderr.read(), process.wait()

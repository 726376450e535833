"""What a log file is told of a long extraction."""

import io

from prefillroute.extraction.progress import LineProgress, RichProgress
from prefillroute.text.screen import Screen


def test_lines_name_queries_speed_and_time_left():
    file = io.StringIO()
    progress = LineProgress(Screen(file=file), seconds_between_lines=0)
    progress.start(10, 1200)
    progress.advance(4, 600)
    progress.advance(6, 600)
    first, half, whole = file.getvalue().splitlines()
    assert first == "extracting 10 queries, 1,200 tokens"
    assert half.startswith("extracting: 4 of 10 queries, ")
    assert "tokens/s, " in half
    assert whole.startswith("extracting: 10 of 10 queries, ")
    assert whole.endswith("tokens/s, 0 min left")


def test_a_log_file_is_not_flooded():
    file = io.StringIO()
    progress = LineProgress(Screen(file=file), seconds_between_lines=3600)
    progress.start(1000, 1000)
    for _ in range(1000):
        progress.advance(1, 1)
    assert len(file.getvalue().splitlines()) == 1


def test_the_bar_shows_queries_and_speed():
    file = io.StringIO()
    bar = RichProgress(Screen(file=file, terminal=True, columns=100))
    bar.start(10, 1200)
    bar.advance(4, 600)
    bar.stop()
    assert "4/10 queries" in file.getvalue()
    assert "tokens/s" in file.getvalue()

"""What a person sees while a collection runs."""

import io

from prefillroute.harness.progress import BarTally, LineTally
from prefillroute.text.screen import Screen


def test_bars_say_done_failed_and_cost() -> None:
    console = Screen(file=io.StringIO(), terminal=True, columns=120)
    tally = BarTally({"a": 3, "b": 2}, 1.5, console)
    tally.count_answer("a", 0.25)
    tally.count_answer("a", 0.0)
    tally.count_failure("b", "gone")
    console.print(tally.bars.get_renderable())
    said = console.file.getvalue()  # type: ignore[attr-defined]
    assert "2/3" in said
    assert "1 failed" in said
    assert "1.7500 USD so far" in said
    assert "3/5" in said


def test_lines_say_done_failed_and_cost_now_and_then() -> None:
    file = io.StringIO()
    tally = LineTally({"a": 40}, 0.0, Screen(file=file, columns=40), seconds_between_lines=0.0)
    tally.count_answer("a", 0.5)
    tally.count_failure("a", "gone")
    assert (
        file.getvalue()
        .splitlines()[-1]
        .startswith("collecting: 2 of 40 calls, 1 failed, 0.5000 USD so far, ")
    )
    quiet = LineTally({"a": 40}, 0.0, Screen(file=(silent := io.StringIO())), seconds_between_lines=60.0)
    quiet.count_answer("a", 0.5)
    assert silent.getvalue() == ""
    assert quiet.reasons == {}
    assert tally.reasons == {"gone": 1}

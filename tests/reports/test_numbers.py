import math

import pytest

from prefillroute.reports import numbers


@pytest.mark.parametrize(
    ("form", "value", "text"),
    [
        (numbers.decimal, 0.69712, "0.697"),
        (numbers.decimal, -0.0213, "−0.021"),
        (numbers.decimal, -0.00001, "0.000"),
        (numbers.percent, 0.4558, "45.6\u00a0%"),
        (numbers.percent, -0.5, "−50.0\u00a0%"),
        (numbers.points, 0.013, "+1.30"),
        (numbers.points, -0.013, "−1.30"),
        (numbers.points, 0.0, "0.00"),
        (numbers.significant, 0.0004218, "0.000422"),
        (numbers.significant, 1234.5, "1,230"),
        (numbers.significant, 12.345, "12.3"),
        (numbers.significant, -0.5, "−0.500"),
        (numbers.significant, 0.0, "0"),
        (numbers.usd_per_thousand, 0.00031, "0.310"),
        (numbers.count, 14469.0, "14,469"),
        (numbers.seconds, 0.42, "0.420 s"),
        (numbers.seconds, 59.97, "60 s"),
        (numbers.seconds, 187.0, "3 min 07 s"),
        (numbers.seconds, 7500.0, "2 h 05 min"),
    ],
)
def test_reads_as_people_write(form, value, text):
    assert form(value) == text


@pytest.mark.parametrize(
    "form",
    [numbers.decimal, numbers.percent, numbers.points, numbers.significant, numbers.count, numbers.seconds],
)
@pytest.mark.parametrize("value", [None, math.nan, math.inf])
def test_no_number_is_a_dash(form, value):
    assert form(value) == "–"


def test_names_are_joined():
    assert numbers.joined([]) == ""
    assert numbers.joined(["a"]) == "a"
    assert numbers.joined(["a", "b", "c"]) == "a, b and c"
    assert numbers.joined(list("abcd"), most=2) == "a, b and 2 more"

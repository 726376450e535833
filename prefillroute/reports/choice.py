"""Which operating point was chosen without the test part, and on what evidence, in words."""

from dataclasses import dataclass
from typing import Any

from prefillroute.reports.glyphs import drawn_names
from prefillroute.reports.headline import number
from prefillroute.reports.numbers import NBSP, count, decimal, points

ROWS = {"train_oof": "out-of-fold", "calibration": "calibration"}


@dataclass(frozen=True)
class Chosen:
    """The chosen point: a value of lambda, or one target that takes every query."""

    lambda_: float | None
    target: str | None

    @property
    def words(self) -> str:
        """The words for a legend: ``chosen λ = 0.012`` or ``chosen: every query to gpt-4``."""
        if self.target is None:
            return f"chosen λ = {decimal(self.lambda_)}"
        return f"chosen: every query to {drawn_names([self.target]).names[0]}"


def chosen_point(metrics: dict[str, Any]) -> Chosen | None:
    """The choice recorded in metrics.json; None if there were no rows to choose on."""
    lambda_ = number(metrics["test"], "chosen_lambda")
    if lambda_ is not None:
        return Chosen(lambda_, None)
    target = ((metrics.get("choice") or {}).get("chosen") or {}).get("target")
    return None if target is None else Chosen(None, str(target))


def choice_sentence(metrics: dict[str, Any]) -> str:
    """What was chosen and on what evidence; empty if the run recorded no choice."""
    choice = metrics.get("choice")
    if not choice:
        return ""
    top, guard, best = choice["most_accurate"], float(choice["guard"]), choice["best_single"]
    error = number(top, "standard_error")
    spread = "unknown" if error is None else f"{decimal(100 * error, 2)}{NBSP}pp"
    where = "there" if guard == 0 else "outside the test part"
    gained = f"{points(number(top, 'gain'))}{NBSP}pp"
    found = f"{gained} over {best}, the best single target {where}, standard error {spread}"
    rows = f"the {count(choice['num_rows'])} {ROWS.get(choice['rows'], choice['rows'])} queries"
    if guard == 0:
        return f"λ = {decimal(top['lambda'])} was chosen without a guard, for the greatest accuracy on {rows}: {found}."
    needed = f"{guard:g} standard error{'s' * (guard != 1)}"
    if "target" in choice["chosen"]:
        return (
            f"No λ was chosen: on {rows} the most accurate λ ({decimal(top['lambda'])}) gains {found}; the guard asks "
            f"for more than {needed}, so at “the chosen λ” every query goes to {best}."
        )
    return (
        f"λ = {decimal(top['lambda'])} was chosen for the greatest accuracy on {rows}: it gains {found}; the guard "
        f"asks for more than {needed}."
    )

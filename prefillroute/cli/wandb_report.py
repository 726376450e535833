"""`prefillroute wandb-report`: builds the report of a sweep on Weights & Biases."""

import argparse
import logging

from prefillroute.reports.wandb_report import save_sweep_report
from prefillroute.reports.wandb_runs import read_tracked_sweep
from prefillroute.text.printing import say

log = logging.getLogger(__name__)


def run(arguments: argparse.Namespace) -> int:
    """Save the report and print its address.

    Raises:
        UserError: W&B cannot be reached, refuses the key or has no such sweep, or the metric is unknown.
    """
    sweep = read_tracked_sweep(arguments.entity, arguments.project, arguments.sweep)
    address, refused = save_sweep_report(sweep, arguments.sort_by)
    for name, reason in refused.items():
        log.warning(
            "chart %s was not stored (%s); it shows only if %s has one of this name",
            name, reason, arguments.entity,
        )  # fmt: skip
    say(address)
    return 0

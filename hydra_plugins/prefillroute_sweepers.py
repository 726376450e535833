"""The sweeper `optuna`. Hydra looks for sweepers in this namespace package only.

Hydra imports this module at every start, so that it imports nothing large; without Optuna's sweeper it holds nothing.
"""

from importlib.util import find_spec

if find_spec("hydra_plugins.hydra_optuna_sweeper") is not None:
    from hydra_plugins.hydra_optuna_sweeper.optuna_sweeper import OptunaSweeper

    class StudySweeper(OptunaSweeper):
        """Optuna's sweeper, which also ends well if no trial has a value: the study's report says why."""

        def sweep(self, arguments: list[str]) -> None:
            """Run the trials that are left."""
            try:
                super().sweep(arguments)
            except ValueError as error:
                # With a single objective it asks for the best trial, whether or not there is one.
                if "Record does not exist" not in str(error):
                    raise

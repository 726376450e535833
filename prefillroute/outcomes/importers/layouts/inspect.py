"""Logs of Inspect AI."""

from prefillroute.outcomes.importers.layout import Layout, Option

LAYOUT = Layout(
    what="logs of Inspect AI: .eval or .json files, or a folder of them",
    reader="inspect_logs",
    options=(
        Option("scorer", "NAME", "whose score is taken (default: the first one's)"),
        Option("metric", "KEY", "which value, where a scorer gives several"),
        Option(
            "target",
            "OLD=NEW",
            "rename a target, for instance 'openai/o3 (reasoning_effort=high)=o3-high'",
            many=True,
        ),
    ),
    details="""\
Logs that `inspect eval` wrote. A query is <task>/<sample id>; a target is the model with its reasoning mode; the
score is the first scorer's (see --scorer), and several epochs become their mean.
""",
)

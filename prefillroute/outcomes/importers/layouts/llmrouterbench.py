"""LLMRouterBench's results."""

from prefillroute.outcomes.importers.layout import Layout

LAYOUT = Layout(
    what="the unpacked bench-release of LLMRouterBench",
    reader="llmrouterbench",
    folder="llmrouterbench",
    details="""\
JSON files <dataset>/<split>/<model>/<...YYYYMMDD_HHMMSS>.json, each with a list `records`; read of each record are

  index, origin_query (or prompt), score in [0, 1], prompt_tokens, completion_tokens, cost

The newest file of a model is taken; files with "demo": true are left out.
""",
)

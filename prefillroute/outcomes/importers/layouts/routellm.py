"""RouteLLM's response files."""

from prefillroute.outcomes.importers.layout import Layout

LAYOUT = Layout(
    what="a clone of github.com/lm-sys/RouteLLM, or its response CSVs",
    reader="routellm",
    folder="routellm",
    details="""\
CSV files in mmlu/responses/ or named *_responses.csv, also gzipped, with the columns

  prompt            text           what the models were asked
  <model>           True or False  one column per model: whether its answer was right
  <model>_response  text           in some files: the answer (its length / 4 is taken as tokens)

for instance

  prompt,mixtral-8x7b,gpt-4
  Find the order of 5 in Z_12.,False,True
  What is 2 + 2?,True,True
""",
)

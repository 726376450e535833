"""MMLU-Pro's results, as their owners publish them."""

from prefillroute.outcomes.importers.layout import Layout

LAYOUT = Layout(
    what="a clone of github.com/TIGER-AI-Lab/MMLU-Pro, or its eval_results",
    reader="mmlu_pro",
    folder="mmlu_pro",
    details="""\
Zips model_outputs_<model>_<n>shots.zip, or folders of *_result.json, with a list of records; read of each are

  question_id, question, options, answer, category, pred (or the model's text)
""",
)

"""`prefillroute import LAYOUT PATH...`: public results or your own log into an outcome folder."""

import argparse
from pathlib import Path

from prefillroute.outcomes.importers.repeats import REPEATS
from prefillroute.outcomes.importers.skeleton import data_folder

LAYOUTS = {
    "mmlu-pro": ("mmlu_pro", "a clone of github.com/TIGER-AI-Lab/MMLU-Pro, or its eval_results"),
    "llmrouterbench": ("llmrouterbench", "the unpacked bench-release of LLMRouterBench"),
    "routellm": ("routellm", "a clone of github.com/lm-sys/RouteLLM, or its response CSVs"),
    "inspect": ("", "logs of Inspect AI: .eval or .json files, or a folder of them"),
    "csv": (
        "",
        "your own log: CSV, TSV, JSONL, JSON or Parquet with prompt, target, correct and what else is known",
    ),
}
"""Layout -> its folder under data/ (none for a user's own data), what it is."""

CSV_LAYOUT = """\
A table with one row per call: CSV, TSV, JSONL, JSON (an array of objects) or Parquet, each also gzipped
(log.csv.gz), or a folder of such files. In any order, needed are

  prompt             text    what the target was asked
  target             text    name of the model that answered
  correct            number  its score from 0 to 1; also true, false, yes, no, 50%; empty: not scored

and if known

  query_id           text    one per prompt (default: a hash of the prompt)
  benchmark          text    (default: log)
  category           text    (default: the benchmark)
  prompt_tokens      number  tokens sent
  completion_tokens  number  tokens received, reasoning included
  latency_s          number  seconds to the whole answer
  ttft_s             number  seconds to the first token
  cost_usd           number  what the call cost, USD
  split              text    train, calibration or test, for every row
  near_dup_group     text    queries of one group stay in one part of the data

An empty cell is an unknown value. Two rows as an example:

  prompt,target,correct,prompt_tokens,completion_tokens,cost_usd
  What is 2 + 2?,small-model,1,12,5,0.00001
  What is 2 + 2?,large-model,1,12,48,0.0009
"""
DETAILS = {
    "csv": CSV_LAYOUT,
    "routellm": """\
CSV files in mmlu/responses/ or named *_responses.csv, also gzipped, with the columns

  prompt            text           what the models were asked
  <model>           True or False  one column per model: whether its answer was right
  <model>_response  text           in some files: the answer (its length / 4 is taken as tokens)

for instance

  prompt,mixtral-8x7b,gpt-4
  Find the order of 5 in Z_12.,False,True
  What is 2 + 2?,True,True
""",
    "llmrouterbench": """\
JSON files <dataset>/<split>/<model>/<...YYYYMMDD_HHMMSS>.json, each with a list `records`; read of each record are

  index, origin_query (or prompt), score in [0, 1], prompt_tokens, completion_tokens, cost

The newest file of a model is taken; files with "demo": true are left out.
""",
    "mmlu-pro": """\
Zips model_outputs_<model>_<n>shots.zip, or folders of *_result.json, with a list of records; read of each are

  question_id, question, options, answer, category, pred (or the model's text)
""",
    "inspect": """\
Logs that `inspect eval` wrote. A query is <task>/<sample id>; a target is the model with its reasoning mode; the
score is the first scorer's (see --scorer), and several epochs become their mean.
""",
}
"""Layout -> which fields are read, for its help."""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser("import", help="public results or your own log into an outcome folder")
    layouts = parser.add_subparsers(dest="layout", required=True, metavar="LAYOUT")
    for name, (folder, what) in LAYOUTS.items():
        layout = layouts.add_parser(
            name,
            help=what,
            description=f"Import {what}.",
            epilog=DETAILS[name],
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        layout.add_argument("paths", nargs="+", type=Path, metavar="PATH", help=what)
        data = data_folder()
        layout.add_argument(
            "--out",
            type=Path,
            required=not folder,
            default=data / folder if folder else None,
            help="outcome folder to write" + (f" (default {data / folder})" if folder else ""),
        )
        if name == "csv":
            layout.add_argument(
                "--column",
                action="append",
                default=[],
                metavar="OURS=THEIRS",
                help="name of a column of ours in your log, for instance prompt=question",
            )
            layout.add_argument(
                "--encoding",
                metavar="NAME",
                help="of text files without a byte order mark, for instance cp1252 (default utf-8)",
            )
            layout.add_argument(
                "--repeats",
                choices=REPEATS,
                default="error",
                help="several rows of one query and target: refuse them (default), take the mean of correct, tokens, "
                "seconds and cost as a soft label, or keep the first",
            )
        if name == "inspect":
            layout.add_argument(
                "--scorer", metavar="NAME", help="whose score is taken (default: the first one's)"
            )
            layout.add_argument("--metric", metavar="KEY", help="which value, where a scorer gives several")
            layout.add_argument(
                "--target",
                action="append",
                default=[],
                metavar="OLD=NEW",
                help="rename a target, for instance 'openai/o3 (reasoning_effort=high)=o3-high'",
            )
        layout.set_defaults(work="import_outcomes")

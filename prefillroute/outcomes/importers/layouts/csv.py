"""A user's own log."""

from prefillroute.outcomes.importers.layout import Layout, Option
from prefillroute.outcomes.importers.repeats import REPEATS

LAYOUT = Layout(
    what="your own log: CSV, TSV, JSONL, JSON or Parquet with prompt, target, correct and what else is known",
    reader="log",
    options=(
        Option(
            "column",
            "OURS=THEIRS",
            "name of a column of ours in your log, for instance prompt=question",
            many=True,
        ),
        Option(
            "encoding",
            "NAME",
            "of text files without a byte order mark, for instance cp1252 (default utf-8)",
        ),
        Option(
            "repeats",
            None,
            "several rows of one query and target: refuse them (default), take the mean of correct, tokens, "
            "seconds and cost as a soft label, or keep the first",
            choices=REPEATS,
        ),
    ),
    details="""\
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
""",
)

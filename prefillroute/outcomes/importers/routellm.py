"""RouteLLM's response files: `mmlu/responses/mmlu_<domain>.csv`, `gsm8k/gsm8k_responses.csv` of its evals.

Columns: `prompt`, one per model with True or False, and in some files `<model>_response` with its text. A
file `contaminated_prompts.jsonl` beside them lists prompts that the owners leave out (`eval_prompt`).
"""

from pathlib import Path

from prefillroute.errors import UserError
from prefillroute.outcomes.importers.collector import Collector
from prefillroute.outcomes.importers.contract import Advance, Given
from prefillroute.outcomes.importers.records.read import read_rows

RESPONSE = "_response"
CONTAMINATED = "contaminated_prompts.jsonl"
TRUTH = {"true": 1.0, "false": 0.0, "1": 1.0, "0": 0.0, "1.0": 1.0, "0.0": 0.0}


def find(path: Path) -> list[Path]:
    """Response files: the file itself, or those below a folder or clone.

    Raises:
        UserError: when there is none.
    """
    if path.is_file():
        return [path]
    names = ("*_responses.csv", "responses/*.csv", "*_responses.csv.gz", "responses/*.csv.gz")
    found = sorted({file for name in names for file in path.rglob(name)})
    if not found:
        raise UserError(
            f"{path}: expected mmlu/responses/*.csv or *_responses.csv, found no responses of RouteLLM"
        )
    return found


def read(given: Given, collector: Collector, advance: Advance) -> None:
    """Take the outcomes of all response files; see `contract.Importer.read`.

    Raises:
        UserError: for a file without `prompt` or models, or one that is no UTF-8 CSV.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> collector = Collector()
        >>> with TemporaryDirectory() as folder:
        ...     _ = Path(folder, "gsm8k_responses.csv").write_text("prompt,gpt-4\\nWhat is 2 + 2?,True\\n")
        ...     read(Given.at([Path(folder)], find), collector, advance=lambda size: None)
        >>> collector.frames()[1].values.tolist()
        [['gsm8k:gsm8k:1', 'gpt-4', 1.0]]
    """
    for file in given.files:
        _read(file, collector, advance)


def _read(file: Path, collector: Collector, advance: Advance) -> None:
    benchmark, category = _names(file)
    contaminated = _contaminated(file)
    models: list[str] = []
    for row, record in read_rows(file, advance):
        where = f"{file}: row {row}"
        if not models:
            models = [name for name in record if name and name != "prompt" and not name.endswith(RESPONSE)]
            if "prompt" not in record or not models:
                raise UserError(
                    f"{file}: expected a column prompt and one per model, found {', '.join(record)}"
                )
        prompt = record["prompt"]
        if not prompt.strip():
            collector.skip("record without query text", where)
            continue
        if prompt in contaminated:
            collector.skip("contaminated prompt (the owners leave it out)", where)
            continue
        query = {
            "query_id": f"{benchmark}:{category}:{row}",
            "benchmark": benchmark,
            "category": category,
            "prompt": prompt,
        }
        for model in models:
            correct = TRUTH.get(record[model].strip().lower())
            if correct is None:
                collector.skip("no True or False", where)
                continue
            text = record.get(model + RESPONSE)
            tokens = None if not text else round(len(text) / 4)
            collector.add(query, model, where, correct, completion_tokens=tokens)


def _names(file: Path) -> tuple[str, str]:
    stem = Path(file.name.removesuffix(".gz")).stem.removesuffix("_responses")
    benchmark, _, category = stem.partition("_")
    return benchmark, category or benchmark


def _contaminated(file: Path) -> set[str]:
    for folder in (file.parent, file.parent.parent):
        if (folder / CONTAMINATED).is_file():
            rows = read_rows(folder / CONTAMINATED)
            return {str(record.get("eval_prompt", "")) for _, record in rows}
    return set()

"""NV-Embed-v2's vectors of a pool's queries, in an environment of its own: its code needs transformers 4.42.

    python3.11 -m venv nv_embed && nv_embed/bin/pip install -r requirements/nv_embed.txt
    nv_embed/bin/python experiments/nv_embed.py data/mmlu_pro/queries.parquet nv_embed.parquet
    prefillroute embed embedder=nv_embed_v2 pool=mmlu_pro vectors=nv_embed.parquet

A GPU of 24 GB is wanted. Interrupted, the same command goes on. The weights are cc-by-nc.
"""

import argparse
import hashlib
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from prefillroute.text.printing import say

REPO = "nvidia/NV-Embed-v2"
MAX_TOKENS = 32768
QUERIES_BETWEEN_SAVES = 512


def main() -> None:
    """Embed what the output file lacks, a few hundred queries at a time."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("queries", type=Path, help="parquet file with a column `prompt`")
    parser.add_argument("out", type=Path, help="parquet file to write: prompt_sha256, embedding")
    parser.add_argument("--batch-size", type=int, default=4)
    arguments = parser.parse_args()
    prompts = dict.fromkeys(pq.read_table(arguments.queries, columns=["prompt"])["prompt"].to_pylist())
    done = read(arguments.out)
    left = [prompt for prompt in prompts if digest(prompt) not in done]
    say(f"{len(prompts)} prompts, {len(left)} to embed")
    if not left:
        return
    # Here, so that `--help` and a finished file need neither torch nor the weights.
    from sentence_transformers import SentenceTransformer  # noqa: PLC0415

    model = SentenceTransformer(REPO, trust_remote_code=True)
    model.max_seq_length = MAX_TOKENS
    model.tokenizer.padding_side = "right"
    config = getattr(getattr(model[0], "auto_model", None), "config", None)
    commit = getattr(config, "_commit_hash", None) or "unknown"
    for start in range(0, len(left), QUERIES_BETWEEN_SAVES):
        part = left[start : start + QUERIES_BETWEEN_SAVES]
        # The model's card: texts end with the end-of-sequence token; queries of this kind need no instruction.
        texts = [prompt + model.tokenizer.eos_token for prompt in part]
        vectors = model.encode(texts, batch_size=arguments.batch_size, normalize_embeddings=True)
        done |= {digest(prompt): vector.tolist() for prompt, vector in zip(part, vectors, strict=True)}
        write(arguments.out, done, f"{REPO}@{commit}")
        say(f"{start + len(part)} of {len(left)}")


def digest(prompt: str) -> str:
    """SHA-256 of the text, as prefillroute's caches name prompts."""
    return hashlib.sha256(prompt.encode("utf-8", "surrogatepass")).hexdigest()


def read(path: Path) -> dict[str, list[float]]:
    """Vectors of an earlier run, by digest."""
    if not path.exists():
        return {}
    table = pq.read_table(path)
    return dict(zip(table["prompt_sha256"].to_pylist(), table["embedding"].to_pylist(), strict=True))


def write(path: Path, vectors: dict[str, list[float]], weights: str) -> None:
    """Replace the file as a whole."""
    values = pa.array(list(vectors.values()), type=pa.list_(pa.float32()))
    table = pa.table({"prompt_sha256": list(vectors), "embedding": values})
    partial = path.with_name(f".{path.name}.partial")
    pq.write_table(table.replace_schema_metadata({"weights": weights}), partial)
    os.replace(partial, path)


if __name__ == "__main__":
    main()

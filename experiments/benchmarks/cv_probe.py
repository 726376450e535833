"""Time and agreement of `layers=cv_probe` against scikit-learn, in one run on the same threads.

Three ways to the same numbers, mean ROC-AUC of (layer, PCA dimension, target) over common folds:

- ours: `probe_layer` (with Fisher J, d_eff and anisotropy, which the others do not compute);
- pipelines: StandardScaler, PCA and LogisticRegression per layer, dimension, fold and target;
- shared PCA: the same loop with one scaler and one PCA per layer and fold, leading columns for the smaller
  dimensions.

The loops run over `--targets` targets and are compared with our time for the same targets; our time for all
targets is printed too, with what the loops would need for those (they are linear in targets but for the
shared PCA). Rows are synthetic, of real size, with a real layer's kind of spectrum. `python
experiments/benchmarks/cv_probe.py --help`.
"""

import argparse
import time
import warnings
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from prefillroute.probes.layer_probe import probe_layer
from prefillroute.text.printing import say

DIMS = (50, 100, 200, 300)


def synthetic_layer(num_rows: int, width: int, num_targets: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows (N, H) with a power-law spectrum, offsets and uneven scales; labels (N, T) that share a
    difficulty.

    Every `seed` is another layer of the same queries: labels stay, noise and mixing change.
    """
    common = np.random.default_rng(0)
    latent = common.normal(size=(num_rows, width)) * np.arange(1, width + 1) ** -0.5
    leading = np.arange(width) < 200
    directions = leading[:, None] * (
        common.normal(size=(width, 1)) + 0.7 * common.normal(size=(width, num_targets))
    )
    logits = latent @ directions
    logits = 0.9 * logits / logits.std(0) + np.linspace(-1, 2, num_targets)
    labels = (common.random(logits.shape) < 1 / (1 + np.exp(-logits))).astype(np.float64)
    rng = np.random.default_rng(seed + 1)
    mixing = np.linalg.qr(rng.normal(size=(width, width)))[0]
    rows = (latent + 0.02 * rng.normal(size=latent.shape)) @ mixing
    return (rows * np.exp(rng.normal(size=width)) + 3 * rng.normal(size=width)).astype(np.float32), labels


def sklearn_pipelines(rows: np.ndarray, labels: np.ndarray, folds: np.ndarray) -> np.ndarray:
    """AUC (P, T) by one pipeline per dimension, target and fold."""
    auc = np.zeros((len(DIMS), labels.shape[1]))
    for fold in np.unique(folds):
        train, test = folds != fold, folds == fold
        for p, dim in enumerate(DIMS):
            for t in range(labels.shape[1]):
                model = make_pipeline(
                    StandardScaler(), PCA(dim, random_state=0), LogisticRegression(C=1.0, max_iter=1000)
                )
                model.fit(rows[train], labels[train, t])
                auc[p, t] += roc_auc_score(labels[test, t], model.decision_function(rows[test]))
    return auc / len(np.unique(folds))


def sklearn_shared_pca(rows: np.ndarray, labels: np.ndarray, folds: np.ndarray) -> np.ndarray:
    """AUC (P, T) with scaler and PCA fitted once per fold for all dimensions and targets."""
    auc = np.zeros((len(DIMS), labels.shape[1]))
    for fold in np.unique(folds):
        train, test = folds != fold, folds == fold
        reduce = make_pipeline(StandardScaler(), PCA(DIMS[-1], random_state=0)).fit(rows[train])
        train_scores, test_scores = reduce.transform(rows[train]), reduce.transform(rows[test])
        for p, dim in enumerate(DIMS):
            for t in range(labels.shape[1]):
                model = LogisticRegression(C=1.0, max_iter=1000).fit(train_scores[:, :dim], labels[train, t])
                auc[p, t] += roc_auc_score(labels[test, t], model.decision_function(test_scores[:, :dim]))
    return auc / len(np.unique(folds))


def timed(call: Callable[[], np.ndarray]) -> tuple[np.ndarray, float]:
    """Result and seconds."""
    started = time.perf_counter()
    result = call()
    return result, time.perf_counter() - started


def main() -> None:
    """Print times, ratios and the mean absolute AUC difference."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=8957, help="training queries")
    parser.add_argument("--width", type=int, default=576, help="hidden size")
    parser.add_argument("--layers", type=int, default=2, help="layers measured")
    parser.add_argument("--targets", type=int, default=8, help="targets of the scikit-learn loops")
    parser.add_argument("--all-targets", type=int, default=33, help="targets of the whole table")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--skip-pipelines", action="store_true", help="leave the slowest loop out")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    folds = np.random.default_rng(0).permutation(args.rows) % 5
    seconds = dict.fromkeys(["ours", "ours_all", "shared", "pipelines"], 0.0)
    difference: dict[str, list[np.ndarray]] = {"shared": [], "pipelines": []}
    warnings.simplefilter("error", ConvergenceWarning)

    def ours(rows: np.ndarray, labels: np.ndarray) -> np.ndarray:
        return probe_layer(rows, labels, folds, dims=DIMS, fisher_dim=100).auc

    say(
        f"cv_probe: {args.layers} layers x {len(DIMS)} dims x 5 folds, {args.rows} rows x {args.width}, "
        f"{args.threads} threads"
    )
    with threadpool_limits(args.threads):
        for layer in range(args.layers):
            rows, labels = synthetic_layer(args.rows, args.width, args.all_targets, layer)
            some = labels[:, np.linspace(0, args.all_targets - 1, args.targets).astype(int)]
            auc, spent = timed(partial(ours, rows, some))
            seconds["ours"] += spent
            seconds["ours_all"] += timed(partial(ours, rows, labels))[1]
            loops = {"shared": sklearn_shared_pca, "pipelines": sklearn_pipelines}
            if args.skip_pipelines:
                del loops["pipelines"]
            for name, loop in loops.items():
                theirs, spent = timed(partial(loop, rows, some, folds))
                seconds[name] += spent
                difference[name].append(np.abs(theirs - auc))
    for name, spent in (
        ("ours", seconds["ours"]),
        ("shared PCA", seconds["shared"]),
        ("pipelines", seconds["pipelines"]),
    ):
        if spent:
            ratio = spent / seconds["ours"]
            pool = spent / args.targets * args.all_targets / seconds["ours_all"]
            say(
                f"  {name:<12}{spent:9.2f} s for {args.targets} targets   {ratio:7.1f} x ours"
                + (f"   ({pool:.1f} x for {args.all_targets} targets, scaled up)" if name != "ours" else "")
            )
    say(f"  {'ours':<12}{seconds['ours_all']:9.2f} s for {args.all_targets} targets")
    for name, parts in difference.items():
        if parts:
            say(f"  mean |AUC difference| to {name}: {np.mean(parts):.6f}, greatest {np.max(parts):.6f}")


if __name__ == "__main__":
    main()

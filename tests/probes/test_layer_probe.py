import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from prefillroute.errors import UserError
from prefillroute.probes import layer_probe
from prefillroute.probes.layer_probe import check_folds, probe_layer, usable_dims


def test_auc_equals_scikit_learn_pipelines_fitted_inside_each_fold(make_rows) -> None:
    activations, labels = make_rows(400, 30, 3)
    folds = np.random.default_rng(0).integers(0, 5, size=400)
    ours = probe_layer(activations, labels, folds, dims=(5, 30))
    assert ours.dims == (5, 30)
    for p, dim in enumerate(ours.dims):
        for t in range(labels.shape[1]):
            scores = []
            for fold in range(5):
                train, held_out = folds != fold, folds == fold
                model = make_pipeline(StandardScaler(), PCA(dim), LogisticRegression(max_iter=5000))
                model.fit(activations[train], labels[train, t])
                logits = model.decision_function(activations[held_out])
                scores.append(roc_auc_score(labels[held_out, t], logits))
            assert abs(ours.auc[p, t] - np.mean(scores)) < 1e-3


def test_nothing_of_the_held_out_fold_reaches_what_is_fitted_without_it(make_rows, monkeypatch) -> None:
    activations, labels = make_rows(300, 20)
    folds = np.repeat(np.arange(3), 100)
    fits: list[list] = []
    original = layer_probe.fit_logistic

    def spy(*args, **kwargs):
        fits[-1].append(original(*args, **kwargs))
        return fits[-1][-1]

    monkeypatch.setattr(layer_probe, "fit_logistic", spy)
    spoiled = activations.copy()
    spoiled[folds == 2] = 50 - 3 * spoiled[folds == 2]
    flipped = labels.copy()
    flipped[folds == 2] = 1 - flipped[folds == 2]
    for rows, truth in ((activations, labels), (spoiled, flipped)):
        fits.append([])
        probe_layer(rows, truth, folds, dims=(4, 10))
    for fold in range(3):
        same = (fits[0][fold].weights == fits[1][fold].weights).all()
        assert bool(same) == (fold == 2)


def test_constant_activations_are_null_everywhere(make_rows) -> None:
    _, labels = make_rows(100, 4)
    alike = np.tile(np.float32([3.0, -800.0, 0.1, 7.7]), (100, 1))
    found = probe_layer(alike, labels, np.arange(100) % 5, dims=(2, 4), fisher_dim=4)
    assert np.isnan(found.auc).all()
    assert np.isnan(found.fisher_j).all()
    assert np.isnan(found.fisher_j_permuted).all()
    assert np.isnan(found.d_eff)
    assert found.anisotropy == pytest.approx(1)


def test_one_class_targets_are_null_and_folds_without_both_classes_do_not_count(make_rows) -> None:
    activations, labels = make_rows(200, 6)
    folds = np.arange(200) % 4
    labels[:, 0] = 1
    labels[folds == 1, 1] = 1  # AUC of fold 1 is undefined, the mean is over the others
    labels[:, 2] = np.nan
    labels[:, 3] = 0
    labels[0, 3] = (
        1  # the one positive is in fold 0: held out there, nothing to learn; elsewhere nothing to score
    )
    found = probe_layer(activations, labels, folds, dims=(3,))
    assert np.isnan(found.auc[0]).tolist() == [True, False, True, True, False]


def test_dims_are_cut_to_width_and_training_rows() -> None:
    assert usable_dims((50, 100, 200, 300), width=64, rows=1000) == (50, 64)
    assert usable_dims((50, 100, 200), width=576, rows=80) == (50, 79)


@pytest.mark.parametrize("folds", [np.zeros(10, int), np.arange(9) % 2, np.arange(10) % 3 - 1])
def test_folds_that_are_no_folds_are_refused(folds: np.ndarray) -> None:
    with pytest.raises(UserError, match="folds"):
        check_folds(folds, 10)

"""Wall time of the batched ensemble pass against the same nets trained one by one, in one run.

    python -m experiments.benchmarks.ensemble            # 4 targets x 1,500 queries, then 33 x 9,000
    python -m experiments.benchmarks.ensemble --sizes small

The nets are SharedTrunkNet at the shipped width: 10 members of the final fit and of each of 5 folds, 60 in
all, with the shipped training settings, on the same rows and the same validation parts. Three ways:

- batched: `fit_head`, one Lightning fit for all nets;
- bare loop: for each net a torch loop with `torch.optim.Adam`, `nn.Dropout`, index batches and early
stopping, once with
  Adam as it comes and once with its fused kernel;
- Lightning per net: for each net a LightningModule, `DataLoader` over a `TensorDataset`, `EarlyStopping` and
  `ModelCheckpoint`, each as its documentation shows it.

Where a way is run on a subset of the nets (`of 60` in the table), its time is scaled by the number of nets:
the subset takes the same members of every group. Validation loss is each net's best; the difference from the
batched nets is given in standard errors over nets. Matrix-product share: the products' operations over the
peak measured here, over batched time.
"""

import argparse
import copy
import logging
import tempfile
import time
import warnings

import numpy as np
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import EarlyStopping, ModelCheckpoint
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits
from torch.utils.data import DataLoader, TensorDataset

from prefillroute.data.folded import FoldedData
from prefillroute.heads.layout import Layout
from prefillroute.heads.shared_trunk import SharedTrunkNet
from prefillroute.modules.fit import fit_head
from prefillroute.modules.settings import FitSettings
from prefillroute.text.printing import say

NUM_FOLDS, HIDDEN = 5, (256, 128)
SIZES = {"small": (1500, 4, 200), "large": (9000, 33, 800)}  # queries, targets, features


def synthetic_data(num_rows: int, num_targets: int, num_features: int, seed: int = 0) -> FoldedData:
    """Features with a PCA's kind of spectrum, of which some carry a difficulty that all targets share."""
    rng = np.random.default_rng(seed)
    spectrum = np.arange(1, num_features + 1) ** -0.5 * 5
    features = (rng.normal(size=(num_rows, num_features)) * spectrum).astype(np.float32)
    weight = rng.normal(size=(num_features, num_targets + 1)) / spectrum[:, None] / num_features**0.5
    signal = np.tanh(features @ weight * 1.5)
    logit = rng.normal(size=num_targets) + signal[:, -1:] + 0.5 * signal[:, :-1]
    correct = (rng.random(logit.shape) < 1 / (1 + np.exp(-logit))).astype(np.float32)
    fold = rng.permutation(num_rows) % NUM_FOLDS
    held = np.stack([np.zeros(num_rows, dtype=bool)] + [fold == k for k in range(NUM_FOLDS)])
    valid = (rng.random(held.shape) < 0.1) & ~held
    stacked = np.broadcast_to(features, (NUM_FOLDS + 1, *features.shape)).copy()
    features_, correct_, train_, valid_ = map(torch.from_numpy, (stacked, correct, ~held & ~valid, valid))
    return FoldedData(features_, correct_, train_, valid_)


def plain_net(num_features: int, num_targets: int) -> nn.Sequential:
    """SharedTrunkNet as torch.nn layers."""
    wide, narrow = HIDDEN
    return nn.Sequential(
        nn.Linear(num_features, wide), nn.ReLU(), nn.Dropout(0.3),
        nn.Linear(wide, narrow), nn.ReLU(), nn.Dropout(0.2),
        nn.Linear(narrow, num_targets),
    )  # fmt: skip


def bare_fit(data: FoldedData, group: int, member: int, settings: FitSettings, fused: bool) -> float:
    """One net in a torch loop; its best validation loss."""
    torch.manual_seed(1000 * group + member)
    x, y, train, valid = data.features[group], data.correct, data.train[group], data.valid[group]
    net = plain_net(x.shape[1], y.shape[1])
    optimizer = torch.optim.Adam(
        net.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=fused
    )
    x_train, y_train, x_valid, y_valid = x[train], y[train], x[valid], y[valid]
    best, waited, state = float("inf"), 0, net.state_dict()
    for _ in range(settings.max_epochs):
        net.train()
        for rows in torch.randperm(len(x_train)).split(settings.batch_size):
            optimizer.zero_grad()
            binary_cross_entropy_with_logits(net(x_train[rows]), y_train[rows]).backward()
            optimizer.step()
        net.eval()
        with torch.no_grad():
            loss = binary_cross_entropy_with_logits(net(x_valid), y_valid).item()
        waited += 1
        if loss < best - settings.min_delta:
            best, waited, state = loss, 0, copy.deepcopy(net.state_dict())
        if waited >= settings.patience:
            break
    net.load_state_dict(state)
    return best


class PlainModule(pl.LightningModule):
    """One net, as Lightning's introduction writes it."""

    def __init__(self, net: nn.Module, settings: FitSettings) -> None:
        super().__init__()
        self.net, self.settings = net, settings

    def training_step(self, batch: list[Tensor], batch_idx: int) -> Tensor:
        return binary_cross_entropy_with_logits(self.net(batch[0]), batch[1])

    def validation_step(self, batch: list[Tensor], batch_idx: int) -> None:
        self.log("val_loss", binary_cross_entropy_with_logits(self.net(batch[0]), batch[1]))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        s = self.settings
        return torch.optim.Adam(self.parameters(), lr=s.learning_rate, weight_decay=s.weight_decay)


def lightning_fit(data: FoldedData, group: int, member: int, settings: FitSettings) -> float:
    """One net by a Lightning fit of its own; its best validation loss."""
    torch.manual_seed(1000 * group + member)
    x, y, train, valid = data.features[group], data.correct, data.train[group], data.valid[group]
    module = PlainModule(plain_net(x.shape[1], y.shape[1]), settings)
    with tempfile.TemporaryDirectory() as folder:
        stop = EarlyStopping("val_loss", patience=settings.patience, min_delta=settings.min_delta)
        best = ModelCheckpoint(folder, monitor="val_loss")
        trainer = pl.Trainer(
            accelerator="cpu", devices=1, max_epochs=settings.max_epochs, logger=False, callbacks=[stop, best],
            enable_progress_bar=False, enable_model_summary=False, num_sanity_val_steps=0,
            default_root_dir=folder,
        )  # fmt: skip
        trainer.fit(
            module,
            DataLoader(TensorDataset(x[train], y[train]), settings.batch_size, shuffle=True),
            DataLoader(TensorDataset(x[valid], y[valid]), len(x)),
        )
        module.load_state_dict(torch.load(best.best_model_path, weights_only=True)["state_dict"])
    assert stop.best_score is not None
    return float(stop.best_score)


def product_seconds(data: FoldedData, epochs: np.ndarray) -> float:
    """Least time of the batched pass's matrix products: their operations over the measured peak."""
    wide, narrow = HIDDEN
    rows, features = 512, data.features.shape[2]
    a, b = torch.randn(10 * wide, features), torch.randn(features, rows)
    times = []
    for _ in range(8):
        start = time.perf_counter()
        a @ b
        times.append(time.perf_counter() - start)
    peak = 2 * rows * features * 10 * wide / min(times)
    # Forward and weight gradient everywhere, input gradient but for the first layer; two operations each.
    later = wide * narrow + narrow * data.num_targets
    per_row = 2 * (2 * features * wide + 3 * later)
    return float((epochs * data.train.sum(1).numpy()[:, None]).sum()) * per_row / peak


def report(
    name: str, seconds: float, fitted: int, nets: int, loss: np.ndarray, batched: tuple[float, np.ndarray]
) -> None:
    """One line of the table."""
    scaled = seconds * nets / fitted
    gap = float((batched[1].mean(1) - loss.mean(1)).mean())
    # Groups differ more than seeds do, so the noise is that of nets within their group.
    noise = (batched[1] - batched[1].mean(1, keepdims=True)).std()
    error = noise * np.sqrt(1 / batched[1].size + 1 / loss.size)
    say(
        f"  {name:<26} {scaled:8.1f} s ({fitted} of {nets} nets fitted)  {scaled / batched[0]:5.2f}x batched"
        f"   validation loss {loss.mean():.4f}, batched less this {gap:+.4f} ({gap / error:+.1f} s.e.)"
    )


def compare(size: str, arguments: argparse.Namespace) -> None:
    """All ways at one size."""
    rows, targets, features = SIZES[size]
    data = synthetic_data(rows, targets, features)
    settings = FitSettings(accelerator="cpu", progress_bar=False, max_epochs=arguments.max_epochs)
    members, groups = settings.num_members, data.num_groups
    nets = members * groups
    say(
        f"{targets} targets x {rows} queries x {features} features, {nets} nets, {torch.get_num_threads()} threads"
    )

    head = SharedTrunkNet(Layout(features), targets, groups, members, hidden=HIDDEN)
    fitted = fit_head(head, data, settings, seed=0)
    batched = (fitted.seconds, fitted.validation_loss)
    epochs = np.minimum(fitted.best_epoch + 1 + settings.patience, settings.max_epochs)
    share = product_seconds(data, epochs) / fitted.seconds
    say(
        f"  {'batched':<26} {fitted.seconds:8.1f} s ({nets} of {nets} nets fitted)   1.00x batched"
        f"   validation loss {fitted.validation_loss.mean():.4f}, {epochs.mean():.0f} epochs a net,"
        f" products {share:.0%} of the time"
    )
    bare_members = members if size == "small" else arguments.bare_members
    ways = [
        ("bare loop", bare_members, lambda g, e: bare_fit(data, g, e, settings, False)),
        ("bare loop, fused Adam", bare_members, lambda g, e: bare_fit(data, g, e, settings, True)),
        (
            "Lightning fit per net",
            arguments.lightning_members,
            lambda g, e: lightning_fit(data, g, e, settings),
        ),
    ]
    for name, count, fit in ways:
        start = time.perf_counter()
        loss = np.array([[fit(group, member) for member in range(count)] for group in range(groups)])
        report(name, time.perf_counter() - start, count * groups, nets, loss, batched)


def main() -> None:
    """Parse arguments, run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=list(SIZES))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--max-epochs", type=int, default=150)
    parser.add_argument("--bare-members", type=int, default=2, help="members of each group at the large size")
    parser.add_argument("--lightning-members", type=int, default=2, help="members of each group, both sizes")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    warnings.filterwarnings("ignore", module="pytorch_lightning|typing_extensions")
    for logger in ("pytorch_lightning", "lightning.pytorch"):
        logging.getLogger(logger).setLevel("ERROR")
    for size in arguments.sizes:
        compare(size, arguments)


if __name__ == "__main__":
    main()

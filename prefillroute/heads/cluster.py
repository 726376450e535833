"""The cluster router: every target's accuracy among nearby queries (in the manner of the Avengers routers)."""

from collections.abc import Sequence
from typing import Self

import numpy as np
import torch
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits
from torch import Tensor, nn

from prefillroute.errors import UserError
from prefillroute.heads.contract import ClosedFormHead, NetStack
from prefillroute.heads.layout import Layout
from prefillroute.heads.logits import bounded_logit, masked_bce
from prefillroute.heads.smoothed_accuracy import smoothed_accuracy
from prefillroute.seeds import derive_seed


class ClusterStack(NetStack):
    """`centroid` (S, K, D) and `accuracy` (S, K, M) of the first `used` (S,) int64 of K clusters; unused clusters are
    never the nearest."""

    used: Tensor

    def __init__(self, num_nets: int, num_clusters: int, in_features: int, num_targets: int) -> None:
        super().__init__()
        self.centroid = nn.Parameter(torch.zeros(num_nets, num_clusters, in_features), requires_grad=False)
        self.accuracy = nn.Parameter(
            torch.full((num_nets, num_clusters, num_targets), 0.5), requires_grad=False
        )
        self.register_buffer("used", torch.ones(num_nets, dtype=torch.int64))

    def nearest(self, features: Tensor) -> Tensor:
        """Cluster (S, B) of features (B, D), by Euclidean distance."""
        # Squared distances minus |x|^2, which is the same for all clusters.
        distance = self.centroid.square().sum(2)[:, None] - 2 * features @ self.centroid.transpose(1, 2)
        unused = torch.arange(distance.shape[2], device=distance.device) >= self.used[:, None, None]
        return distance.masked_fill(unused, torch.inf).argmin(2)

    def forward(self, features: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Logits (S, B, M) of features (B, D)."""
        cluster = self.nearest(features)[:, :, None].expand(-1, -1, self.accuracy.shape[2])
        return bounded_logit(self.accuracy.gather(1, cluster))


class ClusterHead(ClosedFormHead):
    """k-means over the training rows; p[q, m] = smoothed accuracy of target m in the cluster of q.

    All targets of a group share one number of clusters: the one with the least log loss on the validation part. Ties
    go to the fewest clusters, which also win if there are no validation outcomes. All columns are read, whichever
    target they belong to.

    Args:
        num_clusters: candidates; there are never more clusters than distinct training rows.
        smoothing: number of pseudo-outcomes at the target's overall accuracy that every cluster starts with.
        n_init: starts of k-means for each candidate, of which the tightest is kept.

    Raises:
        UserError: a hyper-parameter is out of range.

    Example:
        >>> x, correct = torch.tensor([[[0.0], [0.1], [9.0], [9.1]]]), torch.tensor([[1.0], [0.0], [1.0], [1.0]])
        >>> head = ClusterHead(Layout(width=1), num_targets=1, num_clusters=[2], smoothing=0.0)
        >>> head.fit(x, correct, torch.ones(1, 4, dtype=torch.bool))(x).sigmoid().flatten()
        tensor([0.5000, 0.5000, 1.0000, 1.0000])
    """

    def __init__(
        self,
        layout: Layout,
        num_targets: int,
        num_groups: int = 1,
        num_members: int = 1,
        seed: int = 0,
        num_clusters: Sequence[int] = (8, 16, 32, 64, 128),
        smoothing: float = 10.0,
        n_init: int = 3,
    ) -> None:
        super().__init__(layout, num_targets, num_groups, num_members, seed)
        if not num_clusters or min(num_clusters) < 1:
            raise UserError(
                f"head.num_clusters: expected at least one, each at least 1, found {list(num_clusters)}"
            )
        if smoothing < 0:
            raise UserError(f"head.smoothing: expected 0 or more, found {smoothing}")
        if n_init < 1:
            raise UserError(f"head.n_init: expected at least 1, found {n_init}")
        self.num_clusters = tuple(sorted(num_clusters))
        self.smoothing = smoothing
        self.n_init = n_init
        self.groups.extend(
            ClusterStack(num_members, self.num_clusters[-1], layout.width, num_targets)
            for _ in range(num_groups)
        )

    def fit(self, features: Tensor, correct: Tensor, train: Tensor, valid: Tensor | None = None) -> Self:
        """Cluster each group's training rows once for every candidate and keep the best."""
        for group in range(self.num_groups):
            x, y = features[group, train[group]], correct[train[group]]
            distinct = len(np.unique(x.numpy(), axis=0))
            sizes = sorted({min(size, distinct) for size in self.num_clusters})
            candidates = [self._cluster(x, y, size, group) for size in sizes]
            best = candidates[0]
            if valid is not None and len(candidates) > 1:
                x_valid, y_valid = features[group, valid[group]], correct[valid[group]]
                losses = [float(masked_bce(stack(x_valid), y_valid)[0]) for stack in candidates]
                best = candidates[int(np.argmin(losses))]
            for key, tensor in self.stack(group).state_dict().items():
                tensor.copy_(best.state_dict()[key])
        return self

    def _cluster(self, features: Tensor, correct: Tensor, size: int, group: int) -> ClusterStack:
        """One net of `size` clusters of features (n, D) with outcomes (n, M)."""
        seed = derive_seed(self.seed, "k-means", group, size) % 2**32
        # With several threads, the parts of a centroid would be added in the order in which the threads finish.
        with threadpool_limits(1, user_api="openmp"):
            kmeans = KMeans(size, n_init=self.n_init, random_state=seed).fit(features.numpy())
        stack = ClusterStack(1, self.num_clusters[-1], self.in_features, self.num_targets)
        stack.centroid[0, :size] = torch.from_numpy(kmeans.cluster_centers_)
        stack.used.fill_(size)
        cluster = stack.nearest(features)[0]
        stack.accuracy[0, :size] = smoothed_accuracy(cluster, correct, size, self.smoothing)
        return stack

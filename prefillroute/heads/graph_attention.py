"""The paper's X_gnn: two graph attention layers over a query and its nearest training queries (section 4.2)."""

from prefillroute.errors import UserError
from prefillroute.heads.contract import Head
from prefillroute.heads.layout import NODES, Layout
from prefillroute.heads.stacked_attention import StackedGraphNet
from prefillroute.seeds import seeded_generator


class GraphAttentionHead(Head):
    """Reads ego graphs, the features of signal=ego_graph: n nodes side by side.

    Node 0 is the query and the others are its neighbours in any order. The logits come from node 0 after two layers of
    attention among all nodes, and from the query's own columns, which bypass the attention.

    Attention is of the published kind: which neighbour scores highest does not depend on the attending node.

    Args:
        width, attention_heads: number of columns of each head of the first layer, and number of heads.
        dropout: rate on the output of both layers, rounded to the nearest 1/256.

    Raises:
        UserError: the features are not equally wide nodes, or a value is out of range.

    Example:
        >>> import torch
        >>> head = GraphAttentionHead(Layout(width=12, content=NODES, num_nodes=3), num_targets=2)
        >>> head(torch.zeros(1, 4, 12)).shape  # groups, members, queries, targets
        torch.Size([1, 1, 4, 2])
    """

    reads = (NODES,)
    wanted_signal = "signal=ego_graph"

    def __init__(
        self,
        layout: Layout,
        num_targets: int,
        num_groups: int = 1,
        num_members: int = 1,
        seed: int = 0,
        width: int = 16,
        attention_heads: int = 4,
        dropout: float = 0.2,
    ) -> None:
        super().__init__(layout, num_targets, num_groups, num_members, seed)
        for key, value in {"width": width, "attention_heads": attention_heads}.items():
            if value < 1:
                raise UserError(f"head.{key}: expected at least 1, found {value}")
        if not 0 <= dropout <= 0.95:
            raise UserError(f"head.dropout: expected a rate in [0, 0.95], found {dropout}")
        self.width, self.attention_heads, self.dropout = width, attention_heads, dropout
        for group in range(num_groups):
            generators = [seeded_generator(seed, "init", group, member) for member in range(num_members)]
            self.groups.append(
                StackedGraphNet(
                    generators,
                    layout.num_nodes,
                    layout.width // layout.num_nodes,
                    attention_heads,
                    width,
                    dropout,
                    num_targets,
                )
            )

    def accepts(self, layout: Layout) -> None:
        """The features must be those of several equally wide nodes.

        Raises:
            UserError: they are not.
        """
        super().accepts(layout)
        if layout.num_nodes < 2 or layout.width % layout.num_nodes:
            found = f"{layout.width} columns of {layout.num_nodes} nodes"
            raise self.misfit("the columns of a query and its neighbours", found, f"use {self.wanted_signal}")

"""The paper's X_gnn: two graph attention layers over a query and its nearest training queries (section 4.2)."""

from typing import Any

from prefillroute.errors import UserError
from prefillroute.heads.contract import Head
from prefillroute.heads.stacked_attention import StackedGraphNet
from prefillroute.seeds import seeded_generator


class GraphAttentionHead(Head):
    """Reads ego graphs, the features of signal=ego_graph: n nodes side by side.

    Node 0 is the query and the others are its neighbours in any order. The logits come from node 0 after two layers of
    attention among all nodes, and from the query's own columns, which bypass the attention.

    Attention is of the published kind: which neighbour scores highest does not depend on the attending node.

    Args:
        num_nodes: n, which the run takes from the signal.
        width, attention_heads: number of columns of each head of the first layer, and number of heads.
        dropout: rate on the output of both layers, rounded to the nearest 1/256.

    Raises:
        UserError: `in_features` does not fit `num_nodes`, or a value is out of range.
    """

    def __init__(
        self,
        in_features: int,
        num_targets: int,
        num_groups: int = 1,
        num_members: int = 1,
        seed: int = 0,
        own_features: int = 0,
        num_nodes: int = 0,
        width: int = 16,
        attention_heads: int = 4,
        dropout: float = 0.2,
    ) -> None:
        super().__init__(in_features, num_targets, num_groups, num_members, seed, own_features)
        for key, value in {"width": width, "attention_heads": attention_heads}.items():
            if value < 1:
                raise UserError(f"head.{key}: expected at least 1, found {value}")
        if num_nodes < 1 or in_features % num_nodes:
            raise UserError(
                f"head=gnn: expected the features of 1 + signal.num_neighbours nodes side by side, found {in_features} "
                f"features of {num_nodes} nodes; use signal=ego_graph"
            )
        if not 0 <= dropout <= 0.95:
            raise UserError(f"head.dropout: expected a rate in [0, 0.95], found {dropout}")
        self.num_nodes, self.width = num_nodes, width
        self.attention_heads, self.dropout = attention_heads, dropout
        for group in range(num_groups):
            generators = [seeded_generator(seed, "init", group, member) for member in range(num_members)]
            self.groups.append(
                StackedGraphNet(
                    generators,
                    num_nodes,
                    in_features // num_nodes,
                    attention_heads,
                    width,
                    dropout,
                    num_targets,
                )
            )

    def hyper(self) -> dict[str, Any]:
        """`num_nodes`, `width`, `attention_heads` and `dropout`."""
        return {
            "num_nodes": self.num_nodes,
            "width": self.width,
            "attention_heads": self.attention_heads,
            "dropout": self.dropout,
        }

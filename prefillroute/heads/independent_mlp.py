"""One multilayer perceptron per target, nothing shared: the ablation of SharedTrunkNet's trunk."""

from prefillroute.heads.mlp_head import MLPHead


class IndependentMLP(MLPHead):
    """For each target, SharedTrunkNet's net with a single output, stopped and ranked for that target alone.

    Every target gets the widths, members and epochs that SharedTrunkNet has for all targets together, so M targets cost
    M times as much to train. The arguments are those of `MLPHead`.

    Example:
        >>> import torch
        >>> from prefillroute.heads.layout import Layout
        >>> head = IndependentMLP(Layout(width=8), num_targets=3, num_members=5)
        >>> head(torch.zeros(1, 4, 8)).shape  # groups, members, queries, targets
        torch.Size([1, 5, 4, 3])
    """

    joint = False

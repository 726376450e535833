"""SharedTrunkNet: one trunk for all targets, one logit each (paper section 4.3, DESIGN section 7)."""

from prefillroute.heads.mlp_head import MLPHead


class SharedTrunkNet(MLPHead):
    """Linear-ReLU-Dropout for each hidden width, then one logit per target; arguments as for `MLPHead`.

    Example:
        >>> import torch
        >>> from prefillroute.heads.layout import Layout
        >>> head = SharedTrunkNet(Layout(width=8), num_targets=3, num_members=5)
        >>> head(torch.zeros(1, 4, 8)).shape  # groups, members, queries, targets
        torch.Size([1, 5, 4, 3])
    """

    joint = True

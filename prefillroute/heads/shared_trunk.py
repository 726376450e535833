"""SharedTrunkNet: one trunk for all targets, one logit each (paper section 4.3, DESIGN section 7)."""

from prefillroute.heads.mlp_head import MLPHead


class SharedTrunkNet(MLPHead):
    """Linear-ReLU-Dropout for each hidden width, then one logit per target; arguments as for `MLPHead`."""

    joint = True

"""One multilayer perceptron per target, nothing shared: the ablation of SharedTrunkNet's trunk."""

from prefillroute.heads.mlp_head import MLPHead


class IndependentMLP(MLPHead):
    """Per target the same net as SharedTrunkNet's with a single output, stopped and ranked for that target
    alone; arguments as for `MLPHead`.

    It has the same widths, members and epochs for every target that SharedTrunkNet has for all of them
    together, so with M targets it costs M times as much to train.
    """

    joint = False

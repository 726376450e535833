"""Early stopping and best states of the nets of one group, each net on its own."""

from typing import Any

import torch
from torch import Tensor

from prefillroute.heads.contract import NetStack


class GroupProgress:
    """What is known of each of S nets: its losses, its best state, and whether it still trains.

    Args:
        stack: the nets as initialised; its tensors are copied.
        patience: epochs without an improvement after which a net stops.
        min_delta: the least decrease of validation loss that counts as an improvement.
    """

    def __init__(self, stack: NetStack, patience: int, min_delta: float) -> None:
        nets = stack.num_nets
        self.patience = patience
        self.min_delta = min_delta
        self.active = torch.arange(nets)  # net numbers, in the order of the stack's rows
        self.best_loss = torch.full((nets,), torch.inf, dtype=torch.float64)
        self.last_loss = torch.full((nets,), torch.inf, dtype=torch.float64)
        self.best_epoch = torch.full((nets,), -1)
        self.waited = torch.zeros(nets, dtype=torch.int64)
        self.best_state = {key: value.detach().clone() for key, value in stack.state_dict().items()}

    def update(self, stack: NetStack, losses: Tensor, epoch: int) -> Tensor | None:
        """Take in the validation losses (active nets,) of an epoch, keep improved states, retire patient
        nets.

        A loss that is not a number is no improvement, so a net that has diverged stops at its best state.

        Returns:
            Positions in the stack of the nets that go on; None where all of them do.
        """
        losses = losses.double().cpu()
        improved = losses < self.best_loss[self.active] - self.min_delta
        self.last_loss[self.active] = losses
        if improved.any():
            nets, positions = self.active[improved], improved.nonzero().squeeze(1)
            for key, value in stack.state_dict().items():
                self.best_state[key][nets.to(value.device)] = value[positions.to(value.device)]
            self.best_loss[nets] = losses[improved]
            self.best_epoch[nets] = epoch
        self.waited[self.active] = torch.where(improved, 0, self.waited[self.active] + 1)
        going = self.waited[self.active] < self.patience
        if going.all():
            return None
        stopped = self.active[~going]
        self.last_loss[stopped] = self.best_loss[stopped]
        self.active = self.active[going]
        return going.nonzero().squeeze(1)

    def state_dict(self) -> dict[str, Any]:
        """Tensors only, for a checkpoint."""
        names = ("active", "best_loss", "last_loss", "best_epoch", "waited")
        return {name: getattr(self, name) for name in names} | {"best_state": self.best_state}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from `state_dict`."""
        for name, value in state.items():
            if name == "best_state":
                for key, tensor in value.items():
                    self.best_state[key].copy_(tensor)
            else:
                setattr(self, name, value.cpu())

"""The interface of every pooling."""

from abc import ABC, abstractmethod

from torch import Tensor


class Pooling(ABC):
    """Turns the tokens of a layer into one vector per row; a cache stores the result under the name of its module.

    Example:
        >>> import torch
        >>> from prefillroute.pooling.last import LastPooling
        >>> hidden, mask = torch.tensor([[[1.0], [2.0], [9.0]]]), torch.tensor([[True, True, False]])
        >>> LastPooling()(hidden, mask)
        tensor([[2.]])
    """

    @abstractmethod
    def __call__(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """Pool each row's real tokens, wherever the padding may be and whatever may stand in it.

        Args:
            hidden: (B, T, H) of any float dtype.
            mask: (B, T) bool, true at real tokens; at least one in each row.

        Returns:
            (B, H) float32.
        """

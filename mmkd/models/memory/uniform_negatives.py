"""Which rows of a memory bank are the negatives of a sample."""

from typing import Any

import torch
from mmengine import dist
from torch import Tensor, nn

from mmkd.errors import UserError
from mmkd.models.memory.gather import row_counts


class UniformNegatives(nn.Module):
    """Draw rows uniformly with replacement, the sample's own row not excluded.

    A draw depends on a seed and the number of draws before it, both of which are in the
    checkpoint, and covers the batches of all processes: it is the same on one process
    and on several, and after a resume. In eval mode a draw does not count. Source: the
    rule is that of PCL's released code, https://arxiv.org/abs/2010.15464; the generator
    is ours.

    Args:
        count: Negatives of a sample, K. Defaults to 1024.

    Raises:
        UserError: If there is no negative.
    """

    seed: Tensor
    steps: Tensor

    def __init__(self, count: int = 1024) -> None:
        super().__init__()
        if count < 1:
            raise UserError(f'{count} negatives for a sample', 'Give 1 or more.')
        self.count = count
        self.register_buffer('seed', torch.randint(2**31, ()))
        self.register_buffer('steps', torch.zeros((), dtype=torch.long))
        # Their sum on the host, so that a step need not wait for the device.
        self._next: int | None = None

    def draw(self, number: int, size: int) -> Tensor:
        """Draw the negatives of this process's samples.

        Args:
            number: Samples of this process, N.
            size: Rows of the bank.

        Returns:
            Row numbers of shape ``(N, K)``.
        """
        if self._next is None:
            self._next = int(self.seed + self.steps)
        device = self.steps.device
        generator = torch.Generator(device).manual_seed(self._next)
        first, total = _share(number, device)
        shape = (total, self.count)
        rows = torch.randint(size, shape, generator=generator, device=device)
        if self.training:
            self._next += 1
            self.steps += 1
        return rows[first : first + number]

    def _load_from_state_dict(self, *args: Any, **kwargs: Any) -> None:
        super()._load_from_state_dict(*args, **kwargs)
        self._next = None


def _share(number: int, device: torch.device) -> tuple[int, int]:
    """Return the place of this process's first sample and the number of all."""
    if dist.get_world_size() == 1:
        return 0, number
    counts = row_counts(torch.empty(number, device=device))
    return sum(counts[: dist.get_rank()]), sum(counts)

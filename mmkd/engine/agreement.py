"""What several processes do together, they must decide together."""

import torch
from mmengine import dist
from torch import distributed


class Agreement:
    """The largest of a number over all processes, without waiting for a device.

    On a GPU the number goes by a group of its own over the network of the hosts: one
    that went by the device would make the host wait for all that it has asked of it.
    To be made on all processes at once.
    """

    def __init__(self) -> None:
        self._alone = dist.get_world_size() == 1
        self._group = None
        if not self._alone and distributed.get_backend() != 'gloo':
            self._group = distributed.new_group(backend='gloo')

    def largest(self, number: int) -> int:
        """Return the largest number of all processes; each of them has to ask."""
        if self._alone:
            return number
        shared = torch.tensor(number)
        distributed.all_reduce(shared, distributed.ReduceOp.MAX, group=self._group)
        return int(shared)

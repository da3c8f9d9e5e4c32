"""Several processes on a machine without an accelerator.

MMEngine calls ``torch.cuda.set_device`` whatever the backend, and names a CUDA device
to DistributedDataParallel. Both fail where there is none.
"""

import functools
from collections.abc import Callable
from typing import Any

from mmkd.compat.cure import Cure, replace_in_mmengine


def _no_accelerator() -> bool:
    from mmengine.device import get_device

    return get_device() == 'cpu'


def _with_gloo(init: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(init)
    def init_on_cpu(backend: str, **kwargs: Any) -> None:
        import torch

        set_device = torch.cuda.set_device
        torch.cuda.set_device = lambda device: None
        try:
            init('gloo', **kwargs)
        finally:
            torch.cuda.set_device = set_device

    return init_on_cpu


def _patch_process_group() -> None:
    from mmengine.dist import utils

    for name in ('_init_dist_pytorch', '_init_dist_slurm', '_init_dist_mpi'):
        function = getattr(utils, name)
        replace_in_mmengine(function, _with_gloo(function))


def _patch_data_parallel() -> None:
    from mmengine.model.wrappers.distributed import MMDistributedDataParallel

    init = MMDistributedDataParallel.__init__

    @functools.wraps(init)
    def init_on_cpu(self: Any, *args: Any, **kwargs: Any) -> None:
        init(self, *args, **{**kwargs, 'device_ids': None})

    MMDistributedDataParallel.__init__ = init_on_cpu


CPU_PROCESS_GROUP = Cure(
    name='mmengine: process group without an accelerator',
    link='https://github.com/open-mmlab/mmengine/blob/v0.10.7/mmengine/dist/utils.py',
    needed=_no_accelerator,
    apply=_patch_process_group,
    waits_for='mmengine.dist.utils',
)

CPU_DATA_PARALLEL = Cure(
    name='mmengine: data parallel without an accelerator',
    link='https://github.com/open-mmlab/mmengine/blob/v0.10.7/mmengine/'
    'runner/runner.py',
    needed=_no_accelerator,
    apply=_patch_data_parallel,
    waits_for='mmengine.model.wrappers.distributed',
)

"""Comparison of one backbone with the golden vectors of the official one."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn import functional

from mmkd.zoo.convert.renaming import Table, renamer
from tests.golden import Golden


def load_official(backbone: nn.Module, golden: Golden, table: Table) -> None:
    """Fill the backbone with the official weights; every name must fit."""
    rename, own = renamer(table), backbone.state_dict()
    official = {
        rename(name): value
        for name, value in golden.state_dict().items()
        if not name.startswith('fc.')
    }
    # The gates of RSPNet's S3D-G are 1x1x1 convolutions.
    backbone.load_state_dict({k: v.reshape(own[k].shape) for k, v in official.items()})
    backbone.eval()


@contextmanager
def recorded(
    backbone: nn.Module, modules: dict[str, str]
) -> Iterator[dict[str, Tensor]]:
    """Collect the outputs of the named modules, by the official stage name."""
    outputs: dict[str, Tensor] = {}
    handles = [
        backbone.get_submodule(own).register_forward_hook(
            lambda _, __, output, stage=stage: outputs.update({stage: output.clone()})
        )
        for stage, own in modules.items()
    ]
    yield outputs
    for handle in handles:
        handle.remove()


def check_map(golden: Golden, name: str, last: Tensor, double: bool) -> None:
    """Compare the last map, whole or in part, its moments and its pooled feature."""
    stored = golden.float64 if double else golden.float32
    check_moments(golden, f'{name}.map', last, double)
    golden.check(f'{name}.map.shape', list(last.shape))
    outputs = {'feature': last.mean((2, 3, 4)), 'map.full': last}
    if f'{name}.retrieval' in stored:
        outputs['retrieval'] = functional.max_pool3d(last, (1, 2, 2))[-1].flatten()
    if f'{name}.map.slice' in stored:
        outputs['map.slice'] = last[-1, golden.float32[f'{name}.map.slice_channels']]
    for output, ours in outputs.items():
        if f'{name}.{output}' in stored:
            golden.check(f'{name}.{output}', ours, double)


def check_moments(golden: Golden, name: str, x: Tensor, double: bool) -> None:
    """Compare mean and deviation of each channel."""
    golden.check(f'{name}.channel_mean', x.mean((0, 2, 3, 4)), double)
    golden.check(f'{name}.channel_std', x.std((0, 2, 3, 4), correction=0), double)


def check_backbone(backbone: nn.Module, golden: Golden, stages: dict[str, str]) -> None:
    """Compare the stored outputs, in single and in double precision.

    In single precision nothing may be left out; in double precision the goldens hold
    the small outputs only.

    Args:
        backbone: The network with the official weights.
        golden: The golden vectors.
        stages: Official stage name to the name of our module, the last map left out.
    """
    assert (
        sum(p.numel() for p in backbone.parameters())
        == (golden.spec['parameters_without_classifier'])
    )
    for double in (False, True):
        backbone.to(torch.float64 if double else torch.float32)
        for name in ('a', 'b'):
            clips = golden.inputs(name).to(torch.float64 if double else torch.float32)
            with torch.no_grad(), recorded(backbone, stages) as outputs:
                check_map(golden, name, backbone(clips), double)
            assert outputs.keys() == stages.keys()
            for stage, output in outputs.items():
                check_moments(golden, f'{name}.{stage}', output, double)

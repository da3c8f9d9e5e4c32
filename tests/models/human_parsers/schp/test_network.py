import zlib

import numpy as np
import pytest
import torch
from torch import Tensor

from mmkd.models.human_parsers.schp_network import (
    AbsoluteScaleNorm,
    SCHPLogits,
    SCHPNetwork,
)
from tests.golden import Golden, load_golden

MODULES = ('relu3', 'layer1', 'layer2', 'layer3', 'layer4', 'context_encoding')


def scale(key: str, shape: tuple[int, ...], negative: bool) -> Tensor:
    """Return a one-dimensional weight by the altered rule of this golden."""
    rng = np.random.default_rng(zlib.crc32(key.encode('utf-8')))
    value = rng.uniform(0.5, 1.5, shape)
    if negative:
        value = value * np.where(rng.uniform(0, 1, shape) < 0.25, -1, 1)
    if key.startswith('layer') and key.endswith('.bn3.weight'):
        value = value * 0.1
    return torch.from_numpy(value.astype('float32'))


@pytest.fixture(scope='module')
def golden() -> Golden:
    return load_golden('schp_resnet101')


@pytest.fixture(scope='module')
def state(golden: Golden) -> dict[str, Tensor]:
    return golden.state_dict()


@pytest.fixture(scope='module')
def network(golden: Golden) -> SCHPNetwork:
    return SCHPNetwork(20).eval().requires_grad_(False)


def fill(network: SCHPNetwork, state: dict[str, Tensor], negative: bool) -> None:
    scales = {
        key: scale(key, tuple(value.shape), negative)
        for key, value in state.items()
        if value.ndim == 1 and key.endswith('.weight')
    }
    network.load_state_dict(state | scales, strict=True)


def moments(x: Tensor) -> tuple[Tensor, Tensor]:
    return x.mean((0, 2, 3)), x.std((0, 2, 3), correction=0)


def check(golden: Golden, name: str, x: Tensor, double: bool) -> None:
    """Compare whatever the golden holds of one output."""
    mean, std = moments(x)
    found = {'channel_mean': mean, 'channel_std': std}
    if f'{name}.shape' in golden.spec['outputs']:
        golden.check(f'{name}.shape', np.array(x.shape))
    if f'{name}.slice' in golden.spec['outputs'] and not double:
        channels = golden.float32[f'{name}.slice_channels']
        found['slice'] = x[-1, channels.tolist()]
    if f'{name}.full' in golden.spec['outputs'] and not double:
        found['full'] = x.reshape(golden.float32[f'{name}.full'].shape)
    stored = golden.float64 if double else golden.float32
    for what, value in found.items():
        if f'{name}.{what}' in stored:
            golden.check(f'{name}.{what}', value, double)


def run(network: SCHPNetwork, x: Tensor) -> tuple[dict[str, Tensor], SCHPLogits]:
    inner: dict[str, Tensor] = {}
    hooks = [
        network.get_submodule(name).register_forward_hook(
            lambda module, args, out, name=name: inner.update({name: out.clone()})
        )
        for name in MODULES
    ]
    logits = network(x)
    for hook in hooks:
        hook.remove()
    return inner, logits


@pytest.mark.parametrize('double', [False, True])
@pytest.mark.parametrize('variant', ['p', 'n'])
def test_golden(
    golden: Golden,
    state: dict[str, Tensor],
    network: SCHPNetwork,
    variant: str,
    double: bool,
) -> None:
    network.double() if double else network.float()
    fill(network, state, negative=variant == 'n')
    x = golden.inputs(variant)
    inner, logits = run(network, x.double() if double else x)
    if variant == 'p':
        for name, value in inner.items():
            check(golden, f'p.{name}', value, double)
    for name, value in logits._asdict().items():
        check(golden, f'{variant}.{name}', value, double)


def test_keys_are_the_official_ones_in_order(
    golden: Golden, network: SCHPNetwork
) -> None:
    official = [(key, tuple(shape)) for key, shape in golden.spec['state_dict']]
    ours = [(key, tuple(value.shape)) for key, value in network.state_dict().items()]
    assert len(official) == 603
    assert sorted(ours) == sorted(official)
    assert sum(p.numel() for p in network.parameters()) == 66723928


def test_thirteen_of_119_norms_leak(golden: Golden, network: SCHPNetwork) -> None:
    norms = {
        name: module
        for name, module in network.named_modules()
        if isinstance(module, AbsoluteScaleNorm)
    }
    leaky = sorted(name for name, module in norms.items() if module.leaky)
    assert len(norms) == 119
    assert leaky == sorted(golden.spec['normalisation_layers']['leaky_relu'])


@pytest.mark.parametrize('classes', [7, 18])
def test_other_label_sets_change_the_last_layers_only(
    network: SCHPNetwork, classes: int
) -> None:
    with torch.device('meta'):
        other = SCHPNetwork(classes).state_dict()
    differing = {
        key
        for key, value in network.state_dict().items()
        if other[key].shape != value.shape
    }
    last = ('decoder.conv4', 'fushion.3')
    assert differing == {f'{m}.{p}' for m in last for p in ('weight', 'bias')}
    assert other['fushion.3.weight'].shape[0] == classes

"""Checkpoints as the official code of each method writes them."""

import argparse
from typing import Any

import torch
from torch import Tensor

from tests.golden import official_tensor

Weights = dict[str, Tensor]

GOLDENS = {
    'c3d': 'c3d_vcop',
    'r3d': 'r3d_vcop',
    'r2plus1d': 'r21d_vcop',
    's3dg': 's3dg_pace',
    's3dg_rspnet': 's3dg_rspnet',
    'resnet18_rspnet': 'resnet18_rspnet',
    'r3d_18': 'r3d_18_torchvision',
    'mc3_18': 'mc3_18_torchvision',
    'r2plus1d_18': 'r2plus1d_18_torchvision',
}
"""Golden vectors of each of our networks."""


def _head(**shapes: tuple[int, ...]) -> Weights:
    return {
        name.replace('__', '.'): official_tensor(name, shape)
        for name, shape in shapes.items()
    }


def _prefixed(prefix: str, weights: Weights) -> Weights:
    return {prefix + name: value for name, value in weights.items()}


def vcop(trunk: Weights) -> Any:
    heads = _head(fc7__weight=(512, 1024), fc7__bias=(512,), fc8__weight=(6, 1536))
    return {**_prefixed('base_network.', trunk), **heads}


def pcl(trunk: Weights) -> Any:
    heads = _head(fc__weight=(5, 1536), projector__mlp__0__weight=(512, 512))
    if 'stem.0.weight' in trunk:  # torchvision's: the children as a Sequential
        children = ('stem', 'layer1', 'layer2', 'layer3', 'layer4')
        trunk = {
            f'{children.index(child)}.{rest}': value
            for child, rest, value in (
                (*name.split('.', 1), value) for name, value in trunk.items()
            )
            if child in children
        }
    return {**_prefixed('base_network.', trunk), **heads}


def pace(trunk: Weights) -> Any:
    head = {} if 'fc.weight' in trunk else _head(linear__weight=(4, 512))
    weights = _prefixed('module.', {**trunk, **head})
    return {'epoch': 17, 'state_dict': weights, 'opt_dict': {'state': {}}}


def auxskd_auxiliary(trunk: Weights) -> Any:
    encoder = _prefixed('module.', {**trunk, **_head(linear__weight=(128, 512))})
    other = {name: torch.zeros_like(value) for name, value in encoder.items()}
    weights = {
        'queue': torch.zeros(16, 128),
        **_prefixed('encoder_q.', encoder),
        **_prefixed('encoder_k.', other),
        **_head(predict_q_c__module__0__weight=(1024, 128)),
    }
    return {'opt': argparse.Namespace(lr=0.01), 'state_dict': weights, 'epoch': 18}


def auxskd_primary(trunk: Weights) -> Any:
    return {**trunk, **_head(linear__weight=(4, 512), linear_segment__weight=(4, 512))}


def rspnet(trunk: Weights) -> Any:
    head = {} if 'fc.weight' in trunk else _head(linear__weight=(1, 512))
    encoder = _prefixed('encoder.', {**trunk, **head})
    encoder.update(_head(fc1__2__weight=(128, 512), fc2__2__weight=(128, 512)))
    other = {name: torch.zeros_like(value) for name, value in encoder.items()}
    weights = {
        'queue': torch.zeros(128, 16),
        **_prefixed('encoder_k.', other),
        **_prefixed('encoder_q.', encoder),
    }
    return {'epoch': 200, 'arch': 'x', 'model': weights, 'best_loss': 0.5}


def torchvision(trunk: Weights) -> Any:
    return dict(trunk)


WRITERS = {
    'vcop': vcop,
    'pcl': pcl,
    'pace': pace,
    'auxskd': auxskd_auxiliary,
    'rspnet': rspnet,
    'torchvision': torchvision,
}
"""Official form of a checkpoint by the first part of the kind's name."""


def blank(spec: dict[str, Any]) -> Weights:
    """Return official tensors of the right names and shapes."""
    return {
        name: torch.zeros(shape, dtype=torch.int64)
        if name.endswith('num_batches_tracked')
        else torch.ones(shape)
        for name, shape in spec['state_dict']
    }

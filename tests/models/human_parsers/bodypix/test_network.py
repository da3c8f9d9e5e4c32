import hashlib
from typing import Literal

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

from mmkd.models.human_parsers.bodypix import BodyPixNetwork
from mmkd.models.human_parsers.weights import build_network
from tests.golden import load_golden
from tests.shared_files import shared_path


def network(stride: Literal[8, 16]) -> BodyPixNetwork:
    weights = str(shared_path('data/bodypix/weights.npz'))
    result = build_network(lambda: BodyPixNetwork(stride), weights, 'x', 'x')
    return result.eval().requires_grad_(False)


def photo() -> Tensor:
    path = shared_path('data/bodypix/ref_input_257x193.png')
    return torch.from_numpy(cv2.imread(str(path))[..., ::-1].copy())


def channels_last(x: Tensor) -> np.ndarray:
    return x.permute(0, 2, 3, 1).numpy()


def test_the_weights_are_the_goldens() -> None:
    digest = hashlib.sha256()
    for name, value in network(16).state_dict().items():
        assert name.startswith('conv')
        digest.update(value.numpy().tobytes())
    golden = load_golden('bodypix')
    assert digest.hexdigest() == golden.spec['weights_sha256']
    assert sum(p.numel() for p in network(16).parameters()) == 604958


def forms(name: str, value: Tensor) -> dict[str, np.ndarray]:
    """Return every form in which the golden may hold one head's answer."""
    maps = channels_last(value)
    return {
        name: maps,
        f'{name}.channel_mean': maps.mean((0, 1, 2)),
        f'{name}.channel_std': maps.std((0, 1, 2)),
        f'{name}.row': maps[0, maps.shape[1] // 2],
    }


@pytest.mark.parametrize('stride', [8, 16])
def test_golden(stride: Literal[8, 16]) -> None:
    golden = load_golden('bodypix')
    noise = np.random.default_rng(5000).uniform(-1.0, 1.0, (1, 97, 129, 3))
    inputs = {
        'x': torch.from_numpy(noise.astype('float32')),
        'photo': photo()[None] / 127.5 - 1,
    }
    ours: dict[str, np.ndarray] = {}
    for name, x in inputs.items():
        answers = network(stride)(x.permute(0, 3, 1, 2))
        for head, value in answers.items():
            ours |= forms(f'{name}.s{stride}.{head}', value)
    maps = [channels_last(answers[head])[0] for head in ('segments', 'part_heatmaps')]
    ours[f'photo.s{stride}.person'] = maps[0][..., 0] > 0
    ours[f'photo.s{stride}.part_argmax'] = maps[1].argmax(-1)
    stored = [name for name in golden.float32 if f'.s{stride}.' in name]
    assert len(stored) == {8: 26, 16: 16}[stride]
    for name in stored:
        golden.check(name, ours[name])


@pytest.mark.parametrize('stride', [8, 16])
def test_reference_outputs_to_1e_4(stride: Literal[8, 16]) -> None:
    heads = ('segments', 'part_heatmaps', 'heatmaps')
    x = photo().permute(2, 0, 1)[None] / 127.5 - 1
    answers = network(stride)(x, heads)
    assert tuple(answers) == heads
    path = shared_path('data/bodypix/ref_output_257x193.npz')
    with np.load(path, allow_pickle=False) as stored:
        for head, value in answers.items():
            difference = np.abs(channels_last(value) - stored[f's{stride}_{head}'])
            assert difference.max() < 1e-4

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from mmkd.errors import UserError
from mmkd.models.human_parsers import BodyPix
from mmkd.registry import MODELS
from tests.models.human_parsers.bodypix.test_network import network, photo
from tests.shared_files import shared_path

WEIGHTS = 'data/bodypix/weights.npz'


def parser(**options: object) -> BodyPix:
    checkpoint = str(shared_path(WEIGHTS))
    return MODELS.build(dict(type='mmkd.BodyPix', checkpoint=checkpoint, **options))


def frame() -> Tensor:
    return photo().permute(2, 0, 1)[None]


def read_at(maps: np.ndarray, y: float, x: float) -> np.ndarray:
    """Read ``(C, H, W)`` bilinearly, one position at a time."""
    y, x = (
        min(max(value, 0), n - 1)
        for value, n in zip((y, x), maps.shape[1:], strict=True)
    )
    top, left = int(y), int(x)
    down, right = min(top + 1, maps.shape[1] - 1), min(left + 1, maps.shape[2] - 1)
    a, b = y - top, x - left
    upper = (1 - b) * maps[:, top, left] + b * maps[:, top, right]
    lower = (1 - b) * maps[:, down, left] + b * maps[:, down, right]
    return (1 - a) * upper + a * lower


@pytest.mark.parametrize('stride', [8, 16])
def test_maps_are_the_networks_cell_by_cell(stride: int) -> None:
    answers = network(stride)(frame() / 127.5 - 1)  # type: ignore[arg-type]
    ours = parser(output_stride=stride)(frame())[0].numpy()
    assert ours.shape == (25, 48, 64)
    person, parts = (answers[n][0].numpy() for n in ('segments', 'part_heatmaps'))
    for i, j in [(0, 0), (10, 31), (24, 40), (47, 63), (30, 7)]:
        y, x = (i + 0.5) * 193 / 48 - 0.5, (j + 0.5) * 257 / 64 - 0.5
        probability = 1 / (1 + np.exp(-read_at(person, y / stride, x / stride)))
        scores = np.exp(read_at(parts, y / stride, x / stride))
        expected = [1 - probability, probability * scores / scores.sum()]
        np.testing.assert_allclose(ours[:, i, j], np.concatenate(expected), atol=1e-5)


def test_it_finds_the_person_of_the_photo_wherever_it_is() -> None:
    """A person in the right half only, and the same frame mirrored."""
    whole = parser()(frame())
    assert torch.allclose(whole.sum(1), torch.ones(1, 48, 64), atol=1e-5)
    person = 1 - whole[0, 0]
    assert 0.2 < person.mean() < 0.8
    wide = torch.full((1, 3, 193, 514), 128, dtype=torch.uint8)
    wide[..., 257:] = frame()
    halves = 1 - parser(size=513)(wide)[0, 0]
    left, right = halves.split(halves.shape[1] // 2, dim=1)
    assert left[:, :-8].max() < 0.5
    assert (right - person).abs().mean() < 0.05


@pytest.mark.parametrize(
    ('shape', 'size'),
    [
        ((193, 257), (193, 257)),
        ((240, 320), (193, 257)),
        ((320, 136), (257, 113)),
        ((10, 2000), (17, 257)),
        ((1, 1), (257, 257)),
    ],
)
def test_input_sides_are_multiples_and_one(
    shape: tuple[int, int], size: tuple[int, int]
) -> None:
    ours = BodyPix('random')
    assert ours.input_size(shape) == size
    assert ours(torch.zeros(1, 3, *shape, dtype=torch.uint8)).shape[1] == 25


def test_every_form_of_the_weights_is_the_same_teacher(tmp_path: Path) -> None:
    first = parser()
    converted = tmp_path / 'bodypix.pth'
    torch.save({'state_dict': first.network.state_dict()}, converted)
    assert BodyPix(str(converted)).identity() == first.identity()
    pytest.importorskip('onnx')
    for stride in (8, 16):
        name = f'data/bodypix/MobileNetV1-x050-stride{stride}.onnx'
        assert BodyPix(str(shared_path(name))).identity() == first.identity()


def test_identity() -> None:
    torch.manual_seed(0)
    identity = BodyPix('random', output_stride=8, size=129).identity()
    assert len(str(identity.pop('weights'))) == 16
    assert identity == {
        'name': 'BodyPix',
        'label_set': 'bodypix',
        'output_stride': 8,
        'size': 129,
        'step': 4,
    }


def test_mistakes_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match='no output stride 32'):
        BodyPix('random', output_stride=32)  # type: ignore[arg-type]
    with pytest.raises(
        UserError, match=r'a\.npz does not exist.*keijiro/BodyPixSentis'
    ):
        BodyPix(str(tmp_path / 'a.npz'))
    np.savez(tmp_path / 'a.npz', **{'conv00.weight': np.zeros((16, 3, 3, 3), 'f4')})
    with pytest.raises(UserError, match=r'a.npz lacks: conv00\.bias'):
        BodyPix(str(tmp_path / 'a.npz'))
    (tmp_path / 'a.onnx').write_bytes(b'no graph')
    pytest.importorskip('onnx')
    with pytest.raises(UserError, match='is no ONNX file with plain convolutions'):
        BodyPix(str(tmp_path / 'a.onnx'))

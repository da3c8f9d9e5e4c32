from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from mmkd.errors import UserError
from mmkd.models.human_parsers import SCHP
from mmkd.models.human_parsers import schp as module
from mmkd.models.human_parsers.schp_network import SCHPNetwork
from tests.models.human_parsers.bodypix.test_network import photo

MEAN, STD = (0.406, 0.456, 0.485), (0.225, 0.224, 0.229)


class Tiny(nn.Module):
    """Stands for the network: a quarter of the size, corner on corner."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, classes, 1)

    def forward(self, x: torch.Tensor) -> object:
        quarter = [(side + 3) // 4 for side in x.shape[-2:]]
        x = functional.interpolate(x, quarter, mode='bilinear', align_corners=True)

        class Logits:
            fusion = self.conv(x)

        return Logits


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, 'SCHPNetwork', Tiny)


def official_maps(parser: SCHP, picture: np.ndarray) -> np.ndarray:
    """Go the released code's way, frame by frame with OpenCV: ``(H, W, K)``."""
    size, (height, width) = parser.size, picture.shape[:2]
    longest = max(height, width) - 1
    scale = size / longest
    matrix = np.float64(
        [
            [scale, 0, size / 2 - scale * (width - 1) / 2],
            [0, scale, size / 2 - scale * (height - 1) / 2],
        ]
    )
    bgr = picture[..., ::-1].astype('float32')
    warped = cv2.warpAffine(bgr, matrix, (size, size), borderValue=0)
    x = (warped / 255 - np.float32(MEAN)) / np.float32(STD)
    x = torch.from_numpy(x).permute(2, 0, 1)[None]
    logits = functional.interpolate(
        parser.network(x).fusion, (size, size), mode='bilinear', align_corners=True
    )
    back = cv2.invertAffineTransform(matrix)
    return cv2.warpAffine(
        logits[0].permute(1, 2, 0).numpy().astype('float32'),
        back,
        (width, height),
        borderMode=cv2.BORDER_REPLICATE,
    )


@pytest.mark.usefixtures('tiny')
@pytest.mark.parametrize('turn', [False, True])
@torch.no_grad()
def test_maps_are_those_of_the_released_way(turn: bool) -> None:
    torch.manual_seed(0)
    parser = SCHP('random', 'pascal_person_part', size=200)
    picture = cv2.GaussianBlur(photo().numpy(), (0, 0), 10)
    picture = np.ascontiguousarray(picture.transpose(1, 0, 2)) if turn else picture
    frames = torch.from_numpy(picture).permute(2, 0, 1)[None]
    ours = parser(frames)[0].numpy()
    shape = (50, 38) if turn else (38, 50)
    assert ours.shape == (7, *shape)
    logits = official_maps(parser, picture)
    coordinates = [
        (np.arange(count) + 0.5) * side / count - 0.5
        for count, side in zip(shape, picture.shape[:2], strict=True)
    ]
    x, y = np.meshgrid(coordinates[1].astype('f4'), coordinates[0].astype('f4'))
    there = cv2.remap(logits, x, y, cv2.INTER_LINEAR)
    exponents = np.exp(there - there.max(-1, keepdims=True))
    twin = (exponents / exponents.sum(-1, keepdims=True)).transpose(2, 0, 1)
    spread = twin.std()
    assert spread > 0.05
    # The released way rounds coordinates to 1/32 of a pixel, twice.
    np.testing.assert_allclose(ours[:, 1:-1, 1:-1], twin[:, 1:-1, 1:-1], atol=0.01)


def official(path: Path, labels: int, without: str = '') -> dict[str, torch.Tensor]:
    """Write a checkpoint of the official form; tensor ``i`` holds ``i`` everywhere."""
    with torch.device('meta'):
        shapes = {k: v.shape for k, v in SCHPNetwork(labels).state_dict().items()}
    state = {
        k: torch.full(shape, float(i)) for i, (k, shape) in enumerate(shapes.items())
    }
    state.pop(without, None)
    wrapped = {f'module.{key}': value for key, value in state.items()}
    torch.save({'epoch': 150, 'state_dict': wrapped}, path)
    return state


def test_an_official_checkpoint_loads_strictly(tmp_path: Path) -> None:
    path = tmp_path / 'exp-schp-lip.pth'
    state = official(path, 20)
    assert len(state) == 603
    ours = SCHP(str(path)).network.state_dict()
    assert ours.keys() == state.keys()
    assert all(torch.equal(ours[key], value) for key, value in state.items())
    with pytest.raises(UserError, match=r'another shape: decoder\.conv4\.weight'):
        SCHP(str(path), 'atr')
    official(path, 20, without='fushion.1.bias')
    with pytest.raises(UserError, match=r'exp-schp-lip\.pth lacks: fushion\.1\.bias'):
        SCHP(str(path))


def test_maps_of_the_whole_network() -> None:
    torch.manual_seed(0)
    maps = SCHP('random', size=64)(torch.zeros(2, 3, 48, 64, dtype=torch.uint8))
    assert maps.shape == (2, 20, 12, 16)
    torch.testing.assert_close(maps.sum(1), torch.ones(2, 12, 16))


@pytest.mark.usefixtures('tiny')
def test_sizes_and_identity() -> None:
    sizes = {'lip': 473, 'atr': 512, 'pascal_person_part': 512}
    for name, size in sizes.items():
        identity = SCHP('random', name).identity()
        assert (identity['label_set'], identity['size']) == (name, size)
    assert SCHP('random', size=224).identity()['size'] == 224


def test_mistakes_are_one_line() -> None:
    with pytest.raises(UserError, match="SCHP has no label set 'voc'"):
        SCHP('random', 'voc')

import importlib.util
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from mmkd.errors import UserError
from mmkd.models.human_parsers import PoseParser, pose
from mmkd.models.human_parsers.human_parser import keypoint_probabilities

CONFIG = """
codec = dict(type={codec!r}, input_size=(48, 32), heatmap_size=(12, 8))
model = dict(type='TopdownPoseEstimator', backbone=dict(
    type='HRNet', init_cfg=dict(type='Pretrained', checkpoint='https://none')))
"""


class Estimator(nn.Module):
    """Stands for mmpose's: joint ``j`` is blue in every fourth pixel, times ``j``."""

    def __init__(self, answer: str = 'maps') -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.arange(17.0).view(17, 1, 1) / 16)
        self.answer = answer
        self.head = self.heads()
        self.seen: list[Tensor] = []

    def data_preprocessor(self, data: dict[str, Any], training: bool) -> Any:
        assert not training
        return {'inputs': torch.stack(data['inputs'])}

    def extract_feat(self, x: Tensor) -> tuple[Tensor]:
        self.seen.append(x)
        return (x,)

    def heads(self) -> Any:
        class Head:
            def forward(head, features: tuple[Tensor]) -> Any:
                maps = features[0][:, :1, ::4, ::4] / 255 * self.weight
                if self.answer == 'simcc':
                    return maps.mean(-1), maps.mean(-2)
                if self.answer == 'bottom-up':
                    return torch.cat([maps, maps[:, :1]], 1), maps
                return maps

        return Head()


def parser(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    answer: str = 'maps',
    codec: str = 'MSRAHeatmap',
    **options: Any,
) -> PoseParser:
    def build(model: dict[str, Any]) -> nn.Module:
        assert 'init_cfg' not in model['backbone']  # nothing is fetched
        return Estimator(answer)

    monkeypatch.setattr(pose, '_builder', lambda: build)
    path = tmp_path / 'pose.py'
    path.write_text(CONFIG.format(codec=codec))
    return PoseParser(str(path), 'random', **options)


def frames() -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randint(0, 256, (2, 3, 32, 48), dtype=torch.uint8, generator=generator)


@pytest.mark.parametrize('answer', ['maps', 'bottom-up'])
def test_heat_maps_lie_over_the_frame(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    ours = parser(tmp_path, monkeypatch, answer, step=1)
    maps = ours(frames())
    assert maps.shape == (2, 18, 32, 48)
    difference = ours.network.seen[0] - frames().flip(1)
    assert difference.abs().max() < 1e-3  # of 255; coordinates are float32
    # Position u of a heat-map is input pixel 4 u; blue is the last channel of RGB.
    blue = frames()[:, 2:, ::4, ::4] / 255
    joints = blue * ours.network.weight.detach()
    expected = keypoint_probabilities(joints)
    torch.testing.assert_close(maps[..., ::4, ::4], expected, rtol=1e-4, atol=1e-5)


def test_a_square_frame_is_letterboxed_and_cut_out_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = parser(tmp_path, monkeypatch)
    maps = ours(torch.full((1, 3, 64, 64), 255, dtype=torch.uint8))
    seen = ours.network.seen[0]
    assert seen.shape == (1, 3, 32, 48)
    assert seen[..., :8].abs().max() < 1e-3
    assert seen[..., 8:40].min() > 254.9
    assert maps.shape == (1, 18, 8, 8)
    assert maps[0, 0, :, 1:-1].max() < 0.3


def test_udp_maps_lie_corner_on_corner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert parser(tmp_path, monkeypatch, codec='UDPHeatmap').corners
    assert not parser(tmp_path, monkeypatch).corners


def test_identity(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = parser(tmp_path, monkeypatch).identity()
    assert (first['size'], first['label_set']) == ('32x48', 'coco_keypoints')
    assert parser(tmp_path, monkeypatch).identity() == first
    other = parser(tmp_path, monkeypatch, size=(64, 96)).identity()
    assert {k for k in first if first[k] != other[k]} == {'size'}


def test_coordinates_are_no_heat_maps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UserError, match='not heat-maps of 17 joints'):
        parser(tmp_path, monkeypatch, 'simcc')(frames())


def test_wrong_configs_are_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / 'pose.py'
    with pytest.raises(UserError, match=r'pose config none\.py does not exist'):
        PoseParser('none.py', 'random')
    path.write_text('a = (')
    with pytest.raises(UserError, match=r'pose\.py cannot be read'):
        PoseParser(str(path), 'random')
    path.write_text('codec = dict()')
    with pytest.raises(UserError, match='has no model'):
        PoseParser(str(path), 'random')
    monkeypatch.setattr(pose, '_builder', lambda: lambda model: Estimator())
    path.write_text('model = dict(type="A")')
    with pytest.raises(UserError, match='no codec with input_size'):
        PoseParser(str(path), 'random')
    with pytest.raises(UserError, match=r'pose checkpoint a\.pth does not exist'):
        PoseParser(str(path), 'a.pth')


@pytest.mark.skipif(
    importlib.util.find_spec('mmpose') is not None, reason='mmpose is installed'
)
@pytest.mark.parametrize('config', ['mmpose::body_2d_keypoint/x.py', 'pose.py'])
def test_without_mmpose_one_line_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'pose.py').write_text(CONFIG.format(codec='MSRAHeatmap'))
    with pytest.raises(UserError, match=r'mmpose cannot be .*requirements/mmpose\.txt'):
        PoseParser(config, 'random')

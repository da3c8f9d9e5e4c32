"""With the real mmpose, where it and compiled mmcv are installed."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mmkd.errors import UserError
from mmkd.models.human_parsers import PoseParser
from mmkd.models.human_parsers.human_parser import keypoint_probabilities

pytest.importorskip('mmcv.ops', reason='mmcv has no compiled operators here')
pytest.importorskip('mmpose.models', reason='mmpose is not installed here')

FOLDER = 'mmpose::body_2d_keypoint'
HRNET = f'{FOLDER}/topdown_heatmap/coco/td-hm_hrnet-w32_8xb64-210e_coco-256x192.py'
BOTTOM_UP = [
    f'{FOLDER}/associative_embedding/coco/ae_hrnet-w32_8xb24-300e_coco-512x512.py',
    f'{FOLDER}/dekr/coco/dekr_hrnet-w32_8xb10-140e_coco-512x512.py',
]
SIMCC = f'{FOLDER}/rtmpose/coco/rtmpose-t_8xb256-420e_coco-256x192.py'


def frames(height: int, width: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    shape = (1, 3, height, width)
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)


def test_top_down_is_the_networks_own_answer(tmp_path: Path) -> None:
    torch.manual_seed(0)
    first = PoseParser(HRNET, 'random')
    path = tmp_path / 'hrnet.pth'
    meta: dict[str, Any] = {'dataset_meta': {'sigmas': np.arange(17.0)}}
    torch.save({'state_dict': first.network.state_dict(), 'meta': meta}, path)
    parser = PoseParser(HRNET, str(path), step=1)
    assert parser.identity()['weights'] == first.identity()['weights']
    x = frames(256, 192)
    maps = parser(x)
    assert maps.shape == (1, 18, 256, 192)
    # The estimator as mmpose runs it, fed by hand: BGR there, RGB within.
    mean, std = (
        torch.tensor(values).view(3, 1, 1)
        for values in ((123.675, 116.28, 103.53), (58.395, 57.12, 57.375))
    )
    with torch.no_grad():
        raw = parser.network((x.float() - mean) / std, None, mode='tensor')
    assert raw.shape == (1, 17, 64, 48)
    expected = keypoint_probabilities(raw)
    torch.testing.assert_close(maps[..., ::4, ::4], expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize('config', BOTTOM_UP)
def test_bottom_up_networks_give_maps_of_the_frame(config: str) -> None:
    maps = PoseParser(config, 'random', size=(128, 128))(frames(60, 120))
    assert maps.shape == (1, 18, 16, 32)
    torch.testing.assert_close(maps.sum(1), torch.ones(1, 16, 32))


def test_coordinates_are_refused() -> None:
    with pytest.raises(UserError, match='not heat-maps of 17 joints'):
        PoseParser(SIMCC, 'random')(frames(256, 192))


def test_an_unknown_config_is_one_line() -> None:
    with pytest.raises(UserError, match=r'none\.py cannot be read'):
        PoseParser(f'{FOLDER}/none.py', 'random')

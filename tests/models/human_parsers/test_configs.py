import re
from pathlib import Path
from typing import Any

import pytest
from mmengine.config import Config

from mmkd.errors import UserError
from mmkd.models.human_parsers import HumanParser
from mmkd.registry import MODELS
from tests.shared_files import ROOT

FOLDER = ROOT / 'configs' / 'human_parsers'
NAMES = {
    'bodypix_s16',
    'bodypix_s8',
    'hrnet_w32_coco',
    'keypoints_ucf101',
    'sapiens_03b',
    'schp_atr',
    'schp_lip',
    'schp_pascal',
    'synthetic',
    'synthetic_160',
}
WEIGHTS = ('checkpoint', 'file', 'folder')


def parser(name: str) -> dict[str, Any]:
    return Config.fromfile(FOLDER / f'{name}.py').parser.to_dict()


def test_these_there_are() -> None:
    assert {path.stem for path in FOLDER.glob('*.py')} == NAMES


@pytest.mark.parametrize('name', sorted(NAMES))
def test_it_names_a_parser_and_where_to_get_its_weights(name: str) -> None:
    config = parser(name)
    assert issubclass(MODELS.get(config['type']), HumanParser)
    [weights] = [config[key] for key in WEIGHTS if key in config]
    assert re.match('data/(teachers/|synthetic(_160)?/maps)', weights)
    text = (FOLDER / f'{name}.py').read_text()
    assert 'https://' in text or 'tools/data/prepare.py' in text


@pytest.mark.parametrize('name', sorted(NAMES - {'hrnet_w32_coco'}))
def test_without_the_weights_one_line_says_where_they_are(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r'does not exist\. Get it from (http|whoever)'):
        MODELS.build(parser(name))

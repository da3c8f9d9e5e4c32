"""The picture of what a pre-training config shows its network."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from mmengine.config import Config

from mmkd.commands.view_sheet import main, view_rows
from tests.shared_files import ROOT
from tests.tools.toy_project import make_project


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """VSPP on four toy videos."""
    make_project(tmp_path)
    path = tmp_path / 'vspp.py'
    path.write_text(
        f"_base_ = '{ROOT}/configs/tiny/vspp_r3d_synthetic.py'\n"
        f"videos = dict(ann_file='{tmp_path}/data/list.txt',\n"
        f"    data_prefix=dict(video='{tmp_path}/data/videos'))\n"
        'train_dataloader = dict(dataset=videos)\n'
    )
    return path


def test_a_row_a_view(config: Path) -> None:
    rows = view_rows(Config.fromfile(config), videos=3, columns=5, seed=0)
    assert len(rows) == 3
    width = 5 * 84 + 4 * 2  # frames of 84 pixels and the gaps between them
    assert {row.shape for row in rows} == {(84 + 16, width, 3)}
    again = view_rows(Config.fromfile(config), videos=3, columns=5, seed=0)
    other = view_rows(Config.fromfile(config), videos=3, columns=5, seed=1)
    assert all(map(np.array_equal, rows, again))
    assert not all(map(np.array_equal, rows, other))


def test_the_tool(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = config.with_name('views.png')
    main([str(config), str(out), '--videos', '2'])
    assert 'views.png: 2 views' in capsys.readouterr().out
    picture = cv2.imread(str(out))
    assert picture is not None and picture.shape[0] == 2 * (84 + 16)


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [(('views.jpg',), 'is no .png'), (('v.png', '--videos', '0'), '--videos')],
)
def test_refusals(
    config: Path,
    arguments: tuple[str, ...],
    message: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(config.parent)
    with pytest.raises(SystemExit) as end:
        main(['vspp.py', *arguments])
    assert end.value.code
    assert message in str(end.value.code) + capsys.readouterr().err
    assert not Path(arguments[0]).exists()

"""The command lines of the human parser: extraction and the view of its maps."""

import runpy

import av
import numpy as np
import pytest
from PIL import Image

from mmkd.commands.part_overlay import part_colours
from tests.methods.human_prior.part_maps.gray_parser import (
    LABELS,
    write_config,
    write_videos,
)
from tests.shared_files import ROOT


def tool(name):
    return runpy.run_path(str(ROOT / 'tools' / 'teacher' / f'{name}.py'))['main']


@pytest.fixture
def case(tmp_path, monkeypatch):
    """Five videos, and the command line that extracts them."""
    monkeypatch.chdir(tmp_path)
    names = write_videos(tmp_path, 5, frames=24)
    write_config(tmp_path)
    return names, ['gray.py', 'list.txt', 'cache', '--size', '8']


def test_extract_in_parts_resume_and_verify(case, tmp_path, capsys):
    names, command = case
    assert tool('extract')([*command, '--part', '2/2']) == 0
    done = sorted(p.name for p in (tmp_path / 'cache').rglob('*.npz'))
    assert done == ['1.mp4.npz', '3.mp4.npz']
    assert capsys.readouterr().out.startswith('2 videos, 52 maps in ')

    assert tool('extract')(command) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0] == '2 videos had their maps already'
    assert out[1].startswith('3 videos, 78 maps in ')

    assert tool('extract')([*command, '--verify']) == 0
    assert capsys.readouterr().out == '5 of 5 videos have the right maps\n'
    (tmp_path / 'cache/maps' / f'{names[0]}.npz').unlink()
    assert tool('extract')([*command, '--verify']) == 1
    assert '4 of 5 videos' in capsys.readouterr().out


def test_a_bad_video_ends_with_1_and_a_name(case, tmp_path, capsys):
    names, command = case
    (tmp_path / 'videos' / names[4]).write_bytes(b'x')
    assert tool('extract')(command) == 1
    out = capsys.readouterr().out
    assert 'estimate from 3 videos: ' in out
    assert f'no maps of {names[4]}: ' in out


@pytest.mark.parametrize(
    ('change', 'what'),
    [
        (['--part', '3/2'], '3/2 is not I/N'),
        (['--size', '0'], '0 is less than 1'),
        (['--size', '9999'], 'size 9999. Give 1 to 512.'),
        (['--device', 'nowhere'], "device 'nowhere'"),
        (['--prefix', 'elsewhere'], 'do not exist'),
        (['--verify'], 'cache holds no part maps'),
    ],
)
def test_mistakes_end_with_2_and_one_line(case, capsys, change, what):
    with pytest.raises(SystemExit) as exit_:
        tool('extract')([*case[1], *change])
    assert exit_.value.code == 2
    error = capsys.readouterr().err
    assert what in error.splitlines()[-1]


@pytest.mark.parametrize(
    ('text', 'what'),
    [
        ('x = 1', 'has no parser'),
        ("parser = dict(type='mmkd.Nobody')", 'Nobody is not in the'),
        ("parser = dict(type='mmkd.R3D')", 'is no human parser'),
        ('parser = dict(', 'was never closed'),
        ("_base_ = './gone.py'", 'builds on a missing file'),
    ],
)
def test_bad_parser_configs(case, tmp_path, capsys, text, what):
    (tmp_path / 'gray.py').write_text(text)
    with pytest.raises(SystemExit):
        tool('extract')(case[1])
    assert what in capsys.readouterr().err


CONFIG = """
default_scope = 'mmaction'
train_dataloader = dict(dataset=dict(
    type='VideoDataset', ann_file='list.txt', data_prefix=dict(video='videos'),
    pipeline=[
        dict(type='DecordInit'),
        dict(type='mmkd.RelativeSpeedViews', clip_len=4),
        dict(type='mmkd.DecodeViews'),
        dict(
            type='mmkd.WithTargets',
            load=dict(type='mmkd.LoadPartMaps', cache='cache'),
            transforms=[
                dict(
                    type='mmkd.PerView', transforms=[dict(type='Flip', flip_ratio=1.0)]
                )
            ],
            align=dict(type='mmkd.AlignPartMaps', size=8),
        ),
        dict(type='FormatShape', input_format='NCTHW'),
        dict(type='mmkd.PackViews'),
    ]))
"""


def test_view_maps(case, tmp_path, capsys):
    tool('extract')(case[1])
    (tmp_path / 'train.py').write_text(CONFIG)
    tool('view_maps')(['train.py', 'sheet.png', '--videos', '2', '--columns', '3'])
    sheet = np.asarray(Image.open('sheet.png').convert('RGB')).astype(int)
    assert (tmp_path / 'sheet.png').stat().st_size < 150_000
    # Two videos of three views in rows of three frames of 4 x 32 pixels.
    assert sheet.shape[1] == 3 * 128 + 2 * 2
    assert sheet.shape[0] > 6 * (128 + 16)
    # Square (1, 1) of the mirrored frames: the label's colour over its grey level.
    patch = sheet[16 + 40 : 16 + 56, 40:56].reshape(-1, 3).mean(0)
    errors = []
    for label in range(len(LABELS)):
        gray = 20 * int(LABELS.flip_table()[label])
        tint = 0.45 * gray + 0.55 * part_colours(LABELS)[label]
        errors.append(np.abs((tint if label else gray) - patch).max())
    assert min(errors) < 12

    tool('view_maps')(['train.py', 'film.mp4'])
    with av.open('film.mp4') as film:
        assert sum(1 for _ in film.decode(video=0)) == 4
    assert 'film.mp4: 2 videos, 4 frames' in capsys.readouterr().out


def test_view_maps_of_a_config_without_maps(case, tmp_path, capsys):
    start, end = (
        CONFIG.index('        dict(\n'),
        CONFIG.index("        dict(type='Format"),
    )
    (tmp_path / 'train.py').write_text(CONFIG[:start] + CONFIG[end:])
    with pytest.raises(SystemExit):
        tool('view_maps')(['train.py', 'sheet.png'])
    assert 'loads no part maps' in capsys.readouterr().err
    assert not (tmp_path / 'sheet.png').exists()

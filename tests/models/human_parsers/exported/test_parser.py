from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from mmkd.errors import UserError
from mmkd.models.human_parsers import ExportedParser
from tests.models.human_parsers.exported.programs_for_tests import (
    expected_maps,
    onnx_file,
    torchscript,
)

LABELS = 'pascal_person_part'
COMMON: dict[str, Any] = {'label_set': LABELS, 'size': (32, 48), 'output': 1}
WRITERS = {'a.pt2': torchscript, 'a.onnx': onnx_file}


def frames(height: int = 32, width: int = 48, count: int = 3) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    shape = (count, 3, height, width)
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)


@pytest.fixture(params=WRITERS)
def file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    if request.param.endswith('onnx'):
        pytest.importorskip('onnxruntime')
    return tmp_path / request.param


def test_pixels_go_in_as_described(file: Path) -> None:
    network = WRITERS[file.name](file)
    mean, std = (123.5, 116.5, 103.5), (58.5, 57.0, 57.5)
    for order in ('rgb', 'bgr'):
        parser = ExportedParser(
            str(file), mean=mean, std=std, channel_order=order, **COMMON
        )
        x = frames().float()
        x = x.flip(1) if order == 'bgr' else x
        x = (x - torch.tensor(mean).view(3, 1, 1)) / torch.tensor(std).view(3, 1, 1)
        maps = parser(frames())
        assert maps.shape == (3, 7, 8, 12)
        torch.testing.assert_close(
            maps, expected_maps(network, x), rtol=1e-4, atol=1e-5
        )


def test_letterbox_and_stretch_lie_over_the_frame(file: Path) -> None:
    network = WRITERS[file.name](file)
    tall = frames(32, 24)
    wide = torch.zeros(3, 3, 32, 48)
    wide[..., 12:36] = tall.float() / 255
    parser = ExportedParser(str(file), fit='letterbox', **COMMON)
    torch.testing.assert_close(
        parser(tall), expected_maps(network, wide)[..., 3:9], rtol=1e-4, atol=1e-5
    )
    stretched = ExportedParser(str(file), fit='stretch', **COMMON)(tall)
    assert stretched.shape == (3, 7, 8, 12)


def test_probabilities_are_only_divided_by_their_sum(tmp_path: Path) -> None:
    class Shares(nn.Module):
        def forward(self, x: Tensor) -> dict[str, Tensor]:
            return {'shares': torch.cat([x[:, :2] + 0.5, 0 * x[:, :1]], 1)}

    path = tmp_path / 'a.pt'
    torch.jit.trace(Shares(), torch.rand(1, 3, 8, 8), strict=False).save(str(path))
    labels = {
        'name': 'three',
        'labels': ['background', 'left', 'right'],
        'swaps': [[1, 2]],
    }
    parser = ExportedParser(
        str(path), labels, (8, 8), output='shares', logits=False, step=1
    )
    picture = frames(8, 8)
    raw = torch.cat([picture[:, :2] / 255 + 0.5, 0.0 * picture[:, :1]], dim=1)
    expected = raw / raw.sum(1, keepdim=True)
    torch.testing.assert_close(parser(picture), expected, rtol=1e-4, atol=1e-5)
    assert parser.label_set.flip_table().tolist() == [0, 2, 1]


def test_channels_last(tmp_path: Path) -> None:
    class Last(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x * torch.tensor([1.0, 2.0, 3.0])

    path = tmp_path / 'a.pt'
    torch.jit.script(Last()).save(str(path))
    labels = {'name': 'three', 'labels': ['a', 'b', 'c']}
    parser = ExportedParser(str(path), labels, (8, 8), layout='nhwc', step=1)
    picture = frames(8, 8)
    scale = torch.tensor([1.0, 2.0, 3.0]).view(3, 1, 1)
    expected = (picture / 255 * scale).softmax(1)
    torch.testing.assert_close(parser(picture), expected, rtol=1e-4, atol=1e-5)


def test_a_fixed_batch_is_filled_up(tmp_path: Path) -> None:
    pytest.importorskip('onnxruntime')
    onnx_file(tmp_path / 'any.onnx')
    onnx_file(tmp_path / 'two.onnx', batch=2)
    whole, pairs = (
        ExportedParser(str(tmp_path / name), **COMMON)
        for name in ('any.onnx', 'two.onnx')
    )
    assert (whole.batch_size, pairs.batch_size) == (None, 2)
    torch.testing.assert_close(whole(frames(count=5)), pairs(frames(count=5)))


def test_identity_goes_by_the_file_and_the_description(file: Path) -> None:
    WRITERS[file.name](file)
    first = ExportedParser(str(file), **COMMON).identity()
    assert (first['name'], first['size']) == ('ExportedParser', '32x48')
    assert ExportedParser(str(file), **COMMON).identity() == first
    other = ExportedParser(str(file), channel_order='bgr', **COMMON).identity()
    assert {k for k in first if first[k] != other[k]} == {'channel_order'}


def test_a_rewritten_file_is_another_teacher(tmp_path: Path) -> None:
    pytest.importorskip('onnxruntime')
    path = tmp_path / 'a.onnx'
    onnx_file(path)
    first = ExportedParser(str(path), **COMMON).identity()
    onnx_file(path, batch=2)
    second = ExportedParser(str(path), **COMMON).identity()
    assert {k for k in first if first[k] != second[k]} == {'weights'}


def test_wrong_descriptions_are_one_line(file: Path) -> None:
    WRITERS[file.name](file)
    wrong: list[tuple[dict[str, Any], str]] = [
        ({'output': 2}, 'has no output 2.*Take one of: 0, 1'),
        ({'label_set': 'lip'}, r'is \(3, 7, 8, 12\) for 3 frames and 20 labels'),
        ({'output': 0}, r'for 3 frames and 7 labels'),
        ({'label_set': 'voc'}, "no label set 'voc'"),
        ({'label_set': {'name': 'x'}}, 'a label set cannot be made of'),
        ({'channel_order': 'gbr'}, "no channel_order='gbr'. Take rgb or bgr"),
        ({'layout': 'chw'}, "no layout='chw'"),
        ({'fit': 'crop'}, "no fit='crop'"),
        ({'nodes': 'edges'}, "no nodes='edges'"),
    ]
    for options, message in wrong:
        with pytest.raises(UserError, match=message):
            ExportedParser(str(file), **{**COMMON, **options})(frames())


@pytest.mark.parametrize('name', ['a.pt2', 'a.onnx'])
def test_files_that_are_none_are_one_line(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match=r'does not exist\. Get it from the moon'):
        ExportedParser(str(tmp_path / name), publisher='the moon', **COMMON)
    if name.endswith('onnx'):
        pytest.importorskip('onnxruntime')
    (tmp_path / name).write_bytes(b'no program')
    with pytest.raises(UserError, match=name):
        ExportedParser(str(tmp_path / name), **COMMON)


def test_without_onnxruntime_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__('sys').modules, 'onnxruntime', None)
    (tmp_path / 'a.onnx').touch()
    with pytest.raises(UserError, match='needs the package onnxruntime'):
        ExportedParser(str(tmp_path / 'a.onnx'), **COMMON)

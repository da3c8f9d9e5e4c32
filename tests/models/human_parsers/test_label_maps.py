from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from mmkd.datasets.video_file import write_maps
from mmkd.errors import UserError
from mmkd.models.human_parsers import LabelMapParser

FRAMES = torch.zeros(1, 3, 8, 12, dtype=torch.uint8)


def labels(count: int = 4, height: int = 8, width: int = 12) -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.integers(0, 15, (count, height, width), dtype=np.uint8)


def one_hot(maps: np.ndarray) -> torch.Tensor:
    hot = maps[:, None] == np.arange(15)[None, :, None, None]
    return torch.from_numpy(hot.astype('f4'))


def test_maps_of_the_synthetic_set(tmp_path: Path) -> None:
    maps = labels()
    write_maps(tmp_path / 'train' / 'wave_0001.npz', maps)
    write_maps(tmp_path / 'test' / 'wave_0001.npz', labels() * 0)
    parser = LabelMapParser(str(tmp_path))
    for video in ('train/wave_0001.mp4', 'data/synthetic/videos/train/wave_0001.mp4'):
        ours = parser.parse(FRAMES, video, [3, 0, 3])
        assert torch.equal(ours, one_hot(maps[[3, 0, 3]]))
    assert parser.parse(FRAMES, 'test/wave_0001.mp4', [1])[:, 0].min() == 1


def test_large_maps_are_averaged(tmp_path: Path) -> None:
    maps = labels(1)
    write_maps(tmp_path / 'a.npz', maps)
    ours = LabelMapParser(str(tmp_path), size=6).parse(FRAMES, 'a.mp4', [0])
    twin = one_hot(maps).reshape(1, 15, 4, 2, 6, 2).mean((3, 5))
    torch.testing.assert_close(ours, twin)


@pytest.mark.parametrize('mode', ['L', 'P'])
def test_pictures_grey_or_with_a_palette(tmp_path: Path, mode: str) -> None:
    maps = labels()
    maps[0, 0, 0] = 255  # void
    (tmp_path / 'clips' / 'a').mkdir(parents=True)
    for number, picture in enumerate(maps):
        image = Image.fromarray(picture)
        if mode == 'P':
            image.putpalette([value % 256 for value in range(7, 775)])
        image.save(tmp_path / 'clips' / 'a' / f'frame_{number + 1:05}.png')
    (tmp_path / 'clips' / 'a' / 'notes.txt').touch()
    parser = LabelMapParser(str(tmp_path), first=1)
    expected = one_hot(np.where(maps == 255, 0, maps)[[2, 0]])
    assert torch.equal(parser.parse(FRAMES, 'clips/a.avi', [2, 0]), expected)
    with pytest.raises(UserError, match=r'no picture of the frame 4, .* ends in 5'):
        parser.parse(FRAMES, 'clips/a.avi', [4])


def test_what_is_no_label_map_is_named(tmp_path: Path) -> None:
    parser = LabelMapParser(str(tmp_path))
    with pytest.raises(UserError, match=r'no label maps of the video x/a\.mp4'):
        parser.parse(FRAMES, 'x/a.mp4', [0])
    write_maps(tmp_path / 'long.npz', labels())
    with pytest.raises(UserError, match=r'\(4, 8, 12\), and not the frame 4'):
        parser.parse(FRAMES, 'long.mp4', [4])
    write_maps(tmp_path / 'high.npz', labels() + np.uint8(9))
    with pytest.raises(UserError, match=r'9 to 23 .*not maps of the 15 labels'):
        parser.parse(FRAMES, 'high.mp4', [0])
    np.savez(tmp_path / 'real.npz', maps=labels() / 2)
    with pytest.raises(UserError, match='holds float64'):
        parser.parse(FRAMES, 'real.mp4', [0])
    np.savez(tmp_path / 'other.npz', masks=labels())
    with pytest.raises(UserError, match=r'other\.npz.*Write an array "maps"'):
        parser.parse(FRAMES, 'other.mp4', [0])
    (tmp_path / 'colour').mkdir()
    Image.new('RGB', (4, 4)).save(tmp_path / 'colour' / '0.png')
    with pytest.raises(UserError, match=r'0\.png is a picture of mode RGB'):
        parser.parse(FRAMES, 'colour.mp4', [0])
    (tmp_path / 'colour' / '1.png').write_bytes(b'no picture')
    with pytest.raises(UserError, match=r'1\.png is no picture'):
        parser.parse(FRAMES, 'colour.mp4', [1])
    with pytest.raises(UserError, match=r'folder of label maps .*none does not exist'):
        LabelMapParser(str(tmp_path / 'none'))


def test_identity_goes_by_names_and_sizes(tmp_path: Path) -> None:
    write_maps(tmp_path / 'a.npz', labels())
    first = LabelMapParser(str(tmp_path)).identity()
    assert LabelMapParser(str(tmp_path)).identity() == first
    write_maps(tmp_path / 'b.npz', labels())
    assert LabelMapParser(str(tmp_path)).identity()['weights'] != first['weights']

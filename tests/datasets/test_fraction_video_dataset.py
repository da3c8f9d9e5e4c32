import itertools
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from mmkd.datasets import FractionVideoDataset
from mmkd.errors import UserError
from mmkd.registry import DATASETS

SIZES = {0: 100, 1: 40, 2: 3}


@pytest.fixture
def video_list(tmp_path: Path) -> str:
    path = tmp_path / 'train.txt'
    lines = [f'{label}_{n:03d}.avi {label}\n' for n in range(100) for label in SIZES]
    path.write_text(''.join(x for x in lines if int(x[2:5]) < SIZES[int(x[0])]))
    return str(path)


def names(path: str, **options: Any) -> list[str]:
    dataset = {'type': 'mmkd.FractionVideoDataset', 'ann_file': path, 'pipeline': []}
    data = DATASETS.build({**dataset, **options})
    assert isinstance(data, FractionVideoDataset)
    infos = [data.get_data_info(n) for n in range(len(data))]
    assert [info['sample_idx'] for info in infos] == list(range(len(data)))
    return [info['filename'] for info in infos]


@pytest.mark.parametrize(
    ('fraction', 'expected'),
    [
        (1.0, [100, 40, 3]),
        (0.5, [50, 20, 2]),
        (0.25, [25, 10, 1]),
        (0.02, [2, 1, 1]),
        (0.07, [7, 3, 1]),
    ],
)
def test_every_class_keeps_its_share(
    video_list: str, fraction: float, expected: list[int]
) -> None:
    found = Counter(name[0] for name in names(video_list, fraction=fraction))
    assert [found[str(label)] for label in SIZES] == expected


def test_smaller_parts_lie_in_larger_ones_in_the_order_of_the_list(
    video_list: str,
) -> None:
    parts = [names(video_list, fraction=f) for f in (0.02, 0.25, 0.5, 1.0)]
    for small, large in itertools.pairwise(parts):
        assert [name for name in large if name in set(small)] == small
    first = [name for name in parts[-1] if name in parts[1]]
    assert first != parts[-1][: len(first)]


def test_the_seed_decides(video_list: str) -> None:
    first = names(video_list, fraction=0.25)
    assert names(video_list, fraction=0.25) == first
    assert names(video_list, fraction=0.25, seed=1) != first


def test_unlabelled_videos_are_one_class(tmp_path: Path) -> None:
    path = tmp_path / 'list.txt'
    path.write_text(''.join(f'{n}.avi -1\n' for n in range(8)))
    assert len(names(str(path), fraction=0.5)) == 4


@pytest.mark.parametrize('fraction', [0, -0.5, 1.5, 25])
def test_a_fraction_out_of_range_is_the_users_error(
    video_list: str, fraction: float
) -> None:
    with pytest.raises(UserError, match=rf'a fraction of {fraction} of'):
        names(video_list, fraction=fraction)

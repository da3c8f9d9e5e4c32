import pytest
from mmengine.config import Config

from mmkd.datasets import SplitVideoDataset
from mmkd.engine.preflight.datasets import check_datasets
from mmkd.errors import UserError
from mmkd.registry import DATASETS


@pytest.fixture
def video_list(tmp_path):
    path = tmp_path / 'train.txt'
    path.write_text(''.join(f'{n:02d}.avi {n % 3}\n' for n in range(20)))
    return str(path)


def names(path, part, **options):
    dataset = {'type': 'mmkd.SplitVideoDataset', 'ann_file': path, 'part': part}
    data = DATASETS.build({**dataset, 'pipeline': [], **options})
    assert isinstance(data, SplitVideoDataset)
    return [data.get_data_info(n)['filename'] for n in range(len(data))]


def test_the_parts_make_up_the_list(video_list):
    train = names(video_list, 'train', held_out=6)
    val = names(video_list, 'val', held_out=6)
    assert (len(train), len(val)) == (14, 6)
    assert sorted(train + val) == [f'{n:02d}.avi' for n in range(20)]
    assert train == sorted(train)
    assert val == sorted(val)


def test_the_seed_decides(video_list):
    first = names(video_list, 'val', held_out=6)
    assert names(video_list, 'val', held_out=6) == first
    assert names(video_list, 'val', held_out=6, seed=1) != first
    assert first != [f'{n:02d}.avi' for n in range(6)]


@pytest.mark.parametrize('held_out', [0, 20, 800])
def test_an_empty_part_is_the_users_error(video_list, held_out):
    with pytest.raises(UserError, match=rf'20 videos, of which {held_out} are'):
        names(video_list, 'train', held_out=held_out)


def test_its_list_is_checked_before_a_run(video_list):
    (dataset,) = [{'type': 'mmkd.SplitVideoDataset', 'ann_file': video_list}]
    cfg = Config({'model': {}, 'train_dataloader': {'dataset': dataset}})
    with pytest.raises(UserError, match=r'line 1: 00\.avi and 19 others'):
        check_datasets(cfg, ['train_dataloader'])

import pytest
from mmengine.config import Config

from mmkd.engine.preflight.datasets import check_datasets
from mmkd.errors import UserError


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'data' / 'ucf101' / 'videos').mkdir(parents=True)
    (tmp_path / 'data' / 'ucf101' / 'videos' / 'a.avi').touch()
    (tmp_path / 'data' / 'ucf101' / 'train_split1.txt').write_text('a.avi 1\n')
    return tmp_path / 'data' / 'ucf101'


def check(classes=None, wrap=False, **changes):
    dataset = {
        'type': 'VideoDataset',
        'ann_file': 'data/ucf101/train_split1.txt',
        'data_prefix': {'video': 'data/ucf101/videos'},
        **changes,
    }
    if wrap:
        dataset = {'type': 'ConcatDataset', 'datasets': [dataset]}
    head = {} if classes is None else {'cls_head': {'num_classes': classes}}
    cfg = Config({'model': head, 'train_dataloader': {'dataset': dataset}})
    check_datasets(cfg, ('train_dataloader', 'val_dataloader'))


def failure(**changes) -> str:
    with pytest.raises(UserError) as caught:
        check(**changes)
    return str(caught.value)


def test_sound_data(data):
    check()
    check(classes=2)
    relative = {'ann_file': 'train_split1.txt', 'data_prefix': {'video': 'videos'}}
    check(data_root='data/ucf101', **relative)


def test_a_missing_list_names_the_key_the_folder_and_the_command(data):
    (data / 'train_split1.txt').unlink()
    message = failure()
    assert message.startswith(
        'list of clips data/ucf101/train_split1.txt '
        '(train_dataloader.dataset.ann_file of '
    )
    assert f'does not exist; looked for it in {data.parents[1]}' in message
    assert '`python tools/data/prepare.py ucf101' in message


def test_a_missing_folder_of_videos(data):
    message = failure(data_prefix={'video': 'data/ucf101/clips'})
    where = 'train_dataloader.dataset.data_prefix'
    assert f'folder of videos data/ucf101/clips ({where} of' in message


def test_an_empty_list(data):
    (data / 'train_split1.txt').write_text('')
    message = failure()
    assert message.startswith('data/ucf101/train_split1.txt (train_dataloader.dataset')
    assert 'is empty' in message


def test_a_data_set_inside_another_is_found(data):
    (data / 'train_split1.txt').write_text('b.avi 1\n')
    assert 'train_split1.txt, line 1: data/ucf101/videos/b.avi' in failure(wrap=True)


def test_labels_are_compared_with_the_head_of_the_student(data):
    assert 'class 1 is out of range (0 to 0)' in failure(classes=1)
    student = {'student': {'cls_head': {'num_classes': 1}}}
    dataset = {'type': 'VideoDataset', 'ann_file': 'data/ucf101/train_split1.txt'}
    dataset['data_prefix'] = {'video': 'data/ucf101/videos'}
    cfg = Config({'model': student, 'train_dataloader': {'dataset': dataset}})
    with pytest.raises(UserError, match='class 1 is out of range'):
        check_datasets(cfg, ('train_dataloader',))


def test_without_a_known_command_there_is_still_a_remedy(data):
    message = failure(ann_file='elsewhere/list.txt')
    assert message.endswith('Create it, or name another one with --cfg-options.')


def test_lists_of_other_data_sets_must_only_be_there(data):
    (data / 'train_split1.txt').write_text('a frame folder 300 1\n')
    check(type='RawframeDataset')
    message = failure(type='RawframeDataset', ann_file='no.txt')
    assert 'list of clips no.txt' in message

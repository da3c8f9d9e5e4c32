import os
from pathlib import Path

import pytest

from mmkd.config_files import config_path, has_splits, read_config
from mmkd.errors import UserError
from tests.shared_files import ROOT

SPLIT = 'MMKD_SPLIT'
LISTS = """
split_lists = ['train{split}.txt']
train_dataloader = dict(dataset=dict(ann_file='train1.txt'))
"""


@pytest.fixture(autouse=True)
def no_split(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(SPLIT, '1')  # so that it is restored
    monkeypatch.delenv(SPLIT)


def write(name: str, text: str) -> str:
    Path(name).write_text(text)
    return name


def test_a_config_of_the_package() -> None:
    name = 'mmkd::tiny/finetune_r3d_synthetic.py'
    assert Path(config_path(name)).samefile(ROOT / 'configs' / name[6:])
    assert read_config(name).model.cls_head.num_classes == 12
    with pytest.raises(UserError, match=r'tiny/vcop_r3d\.py does not exist\. Did'):
        read_config('mmkd::tiny/vcop_r3d.py')


@pytest.mark.parametrize(
    'text',
    [
        "train_dataloader = dict(dataset=dict(ann_file='train1.txt'))",
        # Of the split only a variable depends that no run reads.
        "split_lists = ['train{split}.txt']\nlists = 'train1.txt'\n"
        'train_dataloader = dict(batch_size=1)',
        # Only the folder depends on it: it would hold another split than it says.
        "split_lists = ['split{split}']\nwork_dir = 'split1'\n"
        'train_dataloader = dict(batch_size=1)',
    ],
)
def test_a_split_that_nothing_depends_on_is_refused(text: str) -> None:
    path = write('c.py', text)
    with pytest.raises(UserError, match=r'--split 2: c\.py does not depend on'):
        read_config(path, 2)
    assert not has_splits(path)


def test_the_config_that_a_run_wrote_has_no_split() -> None:
    cfg = read_config(write('c.py', LISTS), 2)
    assert cfg.train_dataloader.dataset.ann_file == 'train2.txt'
    cfg.dump('dumped.py')
    with pytest.raises(UserError, match='does not depend on the split'):
        read_config('dumped.py', 3)


def test_a_split_out_of_range_is_named() -> None:
    path = write('c.py', LISTS)
    for split in (1, 3):
        Path(f'train{split}.txt').touch()
    with pytest.raises(UserError, match=r'no train2\.txt\. .* lists of split 1, 3'):
        read_config(path, 2)
    with pytest.raises(UserError, match='counted from 1'):
        read_config(path, 0)
    assert read_config(path, 3).train_dataloader.dataset.ann_file == 'train3.txt'
    write('three.py', f'{LISTS}\nnum_splits = 3')
    with pytest.raises(UserError, match=r'--split 4: .* has 3 splits'):
        read_config('three.py', 4)


@pytest.mark.parametrize('split', [None, 2])
def test_a_set_variable_is_refused(split: int | None) -> None:
    path = write('c.py', LISTS)
    os.environ[SPLIT] = '2'
    with pytest.raises(UserError, match=r'MMKD_SPLIT=2 is set.* give --split 2'):
        read_config(path, split)


def test_the_lists_change_wherever_they_stand() -> None:
    text = """
split_lists = ['a/train{split}.txt', 'a/test{split}.txt']
lists = dict(ann_file='a/test1.txt')
test = dict(dataset=dict(type='Repeat', dataset=lists))
train_dataloader = dict(dataset=dict(datasets=[
    dict(ann_file='a/train1.txt'), dict(ann_file='other1.txt')]))
test_dataloader = dict(dataset=lists)
custom_hooks = [dict(type='H', files=('a/train1.txt', 1))]
"""
    cfg = read_config(write('c.py', text), 2)
    assert 'split_lists' not in cfg
    lists = [d.ann_file for d in cfg.train_dataloader.dataset.datasets]
    assert lists == ['a/train2.txt', 'other1.txt']
    assert cfg.test_dataloader.dataset.ann_file == 'a/test2.txt'
    assert cfg.test.dataset.dataset.ann_file == 'a/test2.txt'
    assert tuple(cfg.custom_hooks[0].files) == ('a/train2.txt', 1)
    assert has_splits('c.py')
    assert read_config('c.py').test.dataset.dataset.ann_file == 'a/test1.txt'


@pytest.mark.parametrize('value', ["'train{split}.txt'", "['train1.txt']", '[1]'])
def test_split_lists_of_another_form_are_refused(value: str) -> None:
    with pytest.raises(UserError, match=r'c\.py: split_lists is .* Give a list'):
        read_config(write('c.py', f'split_lists = {value}'))


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('a = 1 / 0', 'cannot be read: ZeroDivisionError: division by zero'),
        (
            "custom_imports = dict(imports=['no_such_module'])",
            "c.py: custom_imports: ModuleNotFoundError: No module named 'no_such_mod.*"
            'has to be in PYTHONPATH',
        ),
        (
            "custom_imports = dict(imports=['broken_method'])",
            'c.py: custom_imports: ImportError: cannot import name .nothing.*Correct',
        ),
        ('a = b', 'b'),
    ],
)
def test_whatever_a_config_raises_is_named(
    text: str, message: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    write('broken_method.py', 'from os import nothing_of_that_name')
    with pytest.raises(UserError, match=message):
        read_config(write('c.py', text))


def test_what_is_no_config() -> None:
    Path('folder.py').mkdir()
    with pytest.raises(UserError, match=r'config folder\.py is a folder'):
        read_config('folder.py')
    Path('binary.py').write_bytes(bytes(range(256)))
    with pytest.raises(UserError, match=r'config binary\.py'):
        read_config('binary.py')
    with pytest.raises(UserError, match=r'c\.txt is no config'):
        read_config(write('c.txt', ''))

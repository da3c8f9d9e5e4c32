import pytest

from mmkd.engine.preflight.datasets import prepare_command

PREPARE = 'python tools/data/prepare.py'


@pytest.mark.parametrize(
    ('path', 'command'),
    [
        (
            'data/kinetics100/train.txt',
            f'{PREPARE} kinetics100 --videos DIR --list k100.list',
        ),
        (
            'data/ucf101/test_split3.txt',
            f'{PREPARE} ucf101 --videos DIR --annotations DIR',
        ),
        ('data/hmdb51/videos', f'{PREPARE} hmdb51 --videos DIR --annotations DIR'),
        (
            'data/ut_interaction/fold5_train.txt',
            f'{PREPARE} ut_interaction --videos DIR',
        ),
        (
            'data/kinetics400/videos/yoga/x.mp4',
            f'{PREPARE} kinetics400 --videos DIR --train-csv train.csv '
            '--val-csv val.csv',
        ),
        ('data/synthetic', f'{PREPARE} synthetic'),
        ('data/synthetic/unlabelled.txt', f'{PREPARE} synthetic'),
        (
            'scratch/ut_interaction/set1.txt',
            f'{PREPARE} ut_interaction --videos DIR --out scratch/ut_interaction',
        ),
        ('data/ucf101/my_own.txt', None),
        ('data/ucf101/set1.txt', None),
        ('data/other/train.txt', None),
    ],
)
def test_command(path, command):
    assert prepare_command(path) == command

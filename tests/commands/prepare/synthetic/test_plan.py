from collections import Counter

import numpy as np
import pytest

from mmkd.commands.prepare.synthetic.actions import CLASS_NAMES
from mmkd.commands.prepare.synthetic.dataset import Plan
from mmkd.errors import UserError

CLASSES = len(CLASS_NAMES)


def test_labels_are_balanced_and_shuffled():
    plan = Plan(train_per_class=50, test_per_class=30, unlabelled=CLASSES * 40)
    by_split = {'train': 50, 'test': 30, 'unlabelled': 40}
    for split, count in by_split.items():
        actions = [c.action for c in plan.clips() if c.split == split]
        assert Counter(actions) == dict.fromkeys(range(CLASSES), count)
        assert actions != sorted(actions)
        # The running number must not tell the class either.
        assert abs(np.corrcoef(actions, np.arange(len(actions)))[0, 1]) < 0.15


def test_names_and_seeds_are_unique_and_do_not_hold_the_action():
    clips = Plan().clips()
    assert len({c.name for c in clips}) == len({c.seed for c in clips}) == len(clips)
    assert clips[0].name == 'train/00000'
    assert not any(name in clip.name for clip in clips for name in CLASS_NAMES)


def test_lists_are_in_the_format_of_mmaction():
    plan = Plan(train_per_class=1, test_per_class=1, unlabelled=3)
    lists = plan.lists()
    assert lists['classes.txt'].split() == list(CLASS_NAMES)
    lines = [line.split(' ') for line in lists['train.txt'].splitlines()]
    clips = [c for c in plan.clips() if c.split == 'train']
    assert lines == [[f'{c.name}.mp4', str(c.action)] for c in clips]
    assert [line[-2:] for line in lists['unlabelled.txt'].splitlines()] == ['-1'] * 3


def test_the_seed_changes_order_and_clips():
    first, second = Plan(seed=0).clips(), Plan(seed=1).clips()
    assert [c.action for c in first] != [c.action for c in second]
    assert not {c.seed for c in first} & {c.seed for c in second}


@pytest.mark.parametrize(
    ('name', 'value'),
    [
        ('train_per_class', 0),
        ('test_per_class', -1),
        ('unlabelled', -1),
        ('size', 97),
        ('size', 16),
        ('fps', 0.0),
        ('seed', -1),
    ],
)
def test_bad_values_name_the_parameter(name, value):
    with pytest.raises(UserError, match=f'{name}={value}'):
        Plan(**{name: value})

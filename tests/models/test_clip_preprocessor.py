import random

import pytest
import torch
from mmaction.structures import ActionDataSample
from mmengine.structures import LabelData

from mmkd.datasets.tensor_augment import ClipAugment
from mmkd.errors import UserError
from mmkd.models import ClipPreprocessor

AUGMENT = {'crop': 6, 'flip': 0.5, 'jitter': {'p': 1.0}}


def batch():
    torch.manual_seed(0)
    inputs = [torch.randint(256, (2, 3, 4, 8, 10)).byte() for _ in range(3)]
    return {'inputs': inputs, 'data_samples': [ActionDataSample() for _ in inputs]}


def test_clips_are_augmented_before_they_are_normalised():
    preprocessor = ClipPreprocessor(augment={'type': 'mmkd.ClipAugment', **AUGMENT})
    random.seed(0)
    mine = preprocessor(batch(), training=True)['inputs']
    random.seed(0)
    clips = ClipAugment(**AUGMENT).augment(torch.stack(batch()['inputs']))
    plain = {**batch(), 'inputs': list(clips)}
    assert torch.equal(mine, ClipPreprocessor()(plain, training=True)['inputs'])
    assert mine.shape == (3, 2, 3, 4, 6, 6)


def test_nothing_is_augmented_in_a_test():
    preprocessor = ClipPreprocessor(augment={'type': 'mmkd.ClipAugment', **AUGMENT})
    mine = preprocessor(batch(), training=False)['inputs']
    assert torch.equal(mine, ClipPreprocessor()(batch())['inputs'])


def test_maps_that_would_not_follow_are_the_users_error():
    data = batch()
    data['data_samples'][1].part_maps = LabelData()
    colors = {'type': 'mmkd.ClipAugment', 'gray': 1.0}
    ClipPreprocessor(augment=colors)(data, training=True)
    preprocessor = ClipPreprocessor(augment={'type': 'mmkd.ClipAugment', **AUGMENT})
    with pytest.raises(UserError, match='part maps do not follow'):
        preprocessor(data, training=True)

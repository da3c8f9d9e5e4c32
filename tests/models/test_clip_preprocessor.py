import random

import numpy as np
import pytest
import torch
from mmaction.structures import ActionDataSample
from mmengine.structures import LabelData

from mmkd.datasets.transforms import ClipAugment
from mmkd.datasets.transforms.per_view import PerView
from mmkd.errors import UserError
from mmkd.models import ClipPreprocessor

AUGMENT = {'crop': 6, 'flip': 0.5, 'jitter': {'p': 1.0}}
CROPS = {'type': 'mmkd.ClipAugment', **AUGMENT}


def batch():
    torch.manual_seed(0)
    inputs = [torch.randint(256, (2, 3, 4, 8, 10)).byte() for _ in range(3)]
    return {'inputs': inputs, 'data_samples': [ActionDataSample() for _ in inputs]}


def test_clips_are_augmented_before_they_are_normalised():
    preprocessor = ClipPreprocessor(
        'imagenet', augment={'type': 'mmkd.ClipAugment', **AUGMENT}
    )
    random.seed(0)
    ours = preprocessor(batch(), training=True)['inputs']
    random.seed(0)
    clips = ClipAugment(**AUGMENT).augment(torch.stack(batch()['inputs']))
    plain = {**batch(), 'inputs': list(clips)}
    assert torch.equal(
        ours, ClipPreprocessor('imagenet')(plain, training=True)['inputs']
    )
    assert ours.shape == (3, 2, 3, 4, 6, 6)


SLOTS = {
    'gray': {'type': 'mmkd.RandomGrayscale', 'p': 0.4},
    # Saturation and hue may be a level off at this width.
    'color': {'type': 'mmkd.ColorJitter', 'saturation': 0, 'hue': 0, 'per_frame': True},
    'blur': {'type': 'mmkd.GaussianBlur'},
}


def test_named_transforms_give_the_pixels_that_they_give_in_the_worker():
    preprocessor = ClipPreprocessor('rgb01', augment={**SLOTS, 'none': None})
    random.seed(0)
    found = preprocessor(batch(), training=True)['inputs']
    random.seed(0)
    in_worker = PerView([_skip_a_draw, *SLOTS.values()])
    pixels = (found * 255).round().byte()
    for clips, result in zip(batch()['inputs'], pixels, strict=True):
        images = list(clips.permute(0, 2, 3, 4, 1).flatten(0, 1).numpy())
        sample = {'imgs': images, 'num_clips': 2, 'clip_len': 4}
        expected = np.stack(in_worker(sample)['imgs'])
        ours = result.permute(0, 2, 3, 4, 1).flatten(0, 1).numpy()
        np.testing.assert_array_equal(ours, expected)
        assert not np.array_equal(expected, images)


def _skip_a_draw(results):
    random.random()  # the device's, for the flip
    return results


def test_transforms_that_run_in_the_worker_only_are_the_users_error():
    crop = {'type': 'RandomCrop', 'size': 4}
    with pytest.raises(UserError, match=r'augment: crop \(RandomCrop\) does not run'):
        ClipPreprocessor('rgb01', augment={**SLOTS, 'crop': crop})


def test_nothing_is_augmented_in_a_test():
    preprocessor = ClipPreprocessor(
        'imagenet', augment={'type': 'mmkd.ClipAugment', **AUGMENT}
    )
    ours = preprocessor(batch(), training=False)['inputs']
    assert torch.equal(ours, ClipPreprocessor('imagenet')(batch())['inputs'])


def test_maps_that_would_not_follow_are_the_users_error():
    data = batch()
    data['data_samples'][1].targets = LabelData()
    colors = {'type': 'mmkd.ClipAugment', 'gray': 1.0}
    ClipPreprocessor('imagenet', augment=colors)(data, training=True)
    preprocessor = ClipPreprocessor(
        'imagenet', augment={'type': 'mmkd.ClipAugment', **AUGMENT}
    )
    with pytest.raises(UserError, match='dense targets do not follow'):
        preprocessor(data, training=True)

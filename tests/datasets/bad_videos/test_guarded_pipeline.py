import random
import threading

import numpy as np
import pytest
import torch
from mmaction.datasets import VideoDataset
from mmaction.registry import TRANSFORMS
from mmaction.structures import ActionDataSample
from mmengine.dataset import ConcatDataset, RepeatDataset

from mmkd.datasets.bad_videos import (
    REPLACED,
    GuardedPipeline,
    guard,
    video_datasets,
)
from mmkd.datasets.seeded_dataset import Draw, SeededDataset
from mmkd.datasets.transforms import OpenPacked
from mmkd.datasets.transforms.sampling import ViewSampler
from mmkd.errors import UserError

BAD = {'2.mp4', '5.mp4'}


def opened(results):
    if results['filename'] in BAD:
        raise RuntimeError('no moov')
    return {**results, 'total_frames': results.get('label', 1) + 1}


def sampled(results):
    return {**results, 'drawn': (random.random(), np.random.rand(), torch.rand(1))}


def decoded(results):
    return {**results, 'imgs': [np.zeros((4, 4, 3), np.uint8)]}


def one_clip(results):
    return {**results, 'num_clips': 1, 'clip_len': 1}


def packed(results):
    sample = ActionDataSample(metainfo={'filename': results['filename']})
    return {'inputs': results['drawn'], 'data_samples': sample}


STEPS = [opened, sampled, decoded, packed]


def videos(tmp_path, steps=STEPS, test_mode=False, count=8):
    (tmp_path / 'list.txt').write_text(''.join(f'{i}.mp4 {i}\n' for i in range(count)))
    return VideoDataset(
        str(tmp_path / 'list.txt'), list(steps), {'video': ''}, test_mode=test_mode
    )


def late(results):
    """Find out only after random numbers were drawn."""
    if results['filename'] in BAD:
        raise RuntimeError('no moov')
    return decoded(results)


def test_a_bad_video_is_replaced_by_the_same_one_each_time(tmp_path):
    names = []
    for hung in ({}, {}, {'2.mp4': 'no moov', '5.mp4': 'no moov'}):
        inner = videos(tmp_path)
        guard(inner, replace=True, hung=hung)
        dataset = SeededDataset(inner)
        samples = [dataset[Draw(2, seed)] for seed in range(20)]
        names.append([s['data_samples'].filename for s in samples])
        reasons = [s['data_samples'].metainfo[REPLACED] for s in samples]
        assert all(r[0] == ('2.mp4', 'no moov') for r in reasons)
        assert {len(r) for r in reasons} == {1, 2}  # a bad one was drawn at times
    assert names[0] == names[1] == names[2]
    assert len(set(names[0])) > 3 and not set(names[0]) & BAD


def test_what_was_drawn_before_the_fault_showed_changes_nothing(tmp_path):
    found = []
    for hung in ({}, {'2.mp4': 'no moov', '5.mp4': 'no moov'}):
        inner = videos(tmp_path, [lambda r: r, sampled, late, packed])
        guard(inner, replace=True, hung=hung)
        dataset = SeededDataset(inner)
        found.append([dataset[Draw(2, seed)] for seed in range(9)])
    for one, other in zip(*found, strict=True):
        assert one['data_samples'].filename == other['data_samples'].filename
        assert one['inputs'] == other['inputs']


def test_a_good_video_is_as_without_a_guard(tmp_path):
    plain, guarded = videos(tmp_path), videos(tmp_path)
    guard(guarded, replace=True, time_limit=5)
    one, other = (SeededDataset(d)[Draw(3, 11)] for d in (plain, guarded))
    assert one['inputs'] == other['inputs']
    assert other['data_samples'].filename == '3.mp4'
    assert REPLACED not in other['data_samples'].metainfo


@pytest.mark.parametrize('error', [TypeError, KeyError, AssertionError, UserError])
def test_an_error_of_code_is_no_bad_video(tmp_path, error):
    def broken(results):
        raise error('here')

    dataset = videos(tmp_path, [broken, packed])
    guard(dataset, replace=True)
    with pytest.raises(UserError, match='here') as caught:
        dataset[0]
    assert (error is UserError) == ('failed' not in str(caught.value))
    assert error.__name__ in repr(caught.value) + repr(caught.value.__cause__)


def test_an_error_behind_the_images_is_no_bad_video(tmp_path):
    def broken(results):
        raise RuntimeError('crop larger than the image')

    dataset = videos(tmp_path, [opened, sampled, decoded, broken])
    guard(dataset, replace=True)
    failed = r'0\.mp4: the pipeline failed \(RuntimeError: crop larger than the image\)'
    with pytest.raises(UserError, match=failed):
        dataset[0]


def test_an_error_of_a_sampler_is_no_bad_video(tmp_path):
    class Backwards(ViewSampler):
        def sample(self, total_frames):
            return np.arange(-self.clip_len), random.sample(range(3), 9)

    dataset = videos(tmp_path, [opened, Backwards(4), decoded, packed])
    guard(dataset, replace=True)
    with pytest.raises(UserError, match=r'0\.mp4: .*Backwards.* failed \(ValueError: '):
        dataset[0]


@pytest.mark.parametrize('within', [False, True])
def test_a_mistake_names_the_transform_and_its_options(tmp_path, within):
    crop = {'type': 'RandomCrop', 'size': 500}
    outer = {'type': 'mmkd.PerView', 'transforms': [crop]}
    step = TRANSFORMS.build(outer if within else crop)
    dataset = videos(tmp_path, [opened, sampled, one_clip, decoded, step])
    guard(dataset, replace=True)
    failed = r'RandomCrop\(size=500, lazy=False\) failed \(AssertionError\)'
    with pytest.raises(UserError, match=failed):
        dataset[0]


def test_a_worker_of_a_loader_that_ended_is_no_mistake(tmp_path):
    def interrupted(results):
        raise RuntimeError('DataLoader worker (pid 7) is killed by signal: Killed.')

    dataset = videos(tmp_path, [opened, sampled, decoded, interrupted])
    guard(dataset, replace=True)
    with pytest.raises(RuntimeError, match='pid 7'):
        dataset[0]


@pytest.mark.parametrize(
    ('images', 'reason'),
    [
        ([np.zeros((4, 4, 4))], r'shape \(4, 4, 4\)'),
        ([np.zeros((4, 0, 3))], r'shape \(4, 0, 3\)'),
        ([np.zeros((4, 4, 3)), np.zeros((4, 5, 3))], 'different shapes'),
        ([], r'shape \(\)'),
    ],
)
def test_images_that_are_none(images, reason):
    pipeline = GuardedPipeline([lambda r: {**r, 'imgs': images}], replace=False)
    with pytest.raises(UserError, match=reason):
        pipeline({'filename': 'x.mp4'})


def test_no_frames():
    pipeline = GuardedPipeline([lambda r: {**r, 'total_frames': 0}], replace=False)
    with pytest.raises(UserError, match=r'^x\.mp4 cannot be read \(no frames\)'):
        pipeline({'filename': 'x.mp4'})


def test_too_many_in_a_row(tmp_path):
    def never(results):
        raise OSError(5, 'Input/output error')

    dataset = videos(tmp_path, [never])
    guard(dataset, replace=True, max_in_a_row=3)
    with pytest.raises(UserError, match=r'3 videos in a row .* \(Input/output error'):
        dataset[0]


def test_test_mode_never_replaces(tmp_path):
    dataset = videos(tmp_path, test_mode=True)
    guard(dataset, replace=True)
    with pytest.raises(UserError, match=r'^2\.mp4 cannot be read \(no moov\)'):
        dataset[2]


def test_inside_of_others(tmp_path):
    one, two = videos(tmp_path), videos(tmp_path)
    nested = SeededDataset(RepeatDataset(one, 3))
    assert list(video_datasets(nested)) == [one]
    assert list(video_datasets(ConcatDataset([two, one]))) == [two, one]
    guard(nested, replace=True)
    guard(nested, replace=True)  # as a second run of the same loader does
    assert len(one.pipeline.transforms) == len(STEPS)
    assert REPLACED in nested[Draw(2, 0)]['data_samples'].metainfo


def test_only_what_takes_too_long_is_not_tried_again(tmp_path):
    tried, never = [], threading.Event()

    def slow(results):
        tried.append(results['filename'])
        if results['filename'] == '3.mp4':
            never.wait(600)
        return opened(results)

    dataset = videos(tmp_path, [slow, *STEPS[1:]])
    guard(dataset, replace=True, time_limit=2)
    names = [dataset[index]['data_samples'].filename for index in (3, 3, 2, 2)]
    never.set()
    assert not set(names) & {*BAD, '3.mp4'}
    assert tried.count('3.mp4') == 1
    assert tried.count('2.mp4') >= 2
    assert dataset.pipeline.hung == {'3.mp4': 'not done within 2 s'}


def test_nobody_waits_for_frames_that_are_decoded_already():
    steps = [OpenPacked('packed'), sampled, decoded]
    assert GuardedPipeline(steps, replace=True, time_limit=5).time_limit == 0
    assert GuardedPipeline(STEPS, replace=True, time_limit=5).time_limit == 5

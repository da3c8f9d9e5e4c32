"""The whole pipeline of auxSKD on real clips, through MMAction2's own data set."""

import random

import cv2
import numpy as np
import pytest
import torch
from decord import VideoReader
from mmaction.datasets import VideoDataset
from mmengine.registry import DefaultScope

from tests.datasets.transforms.clips import CLIPS
from tests.shared_files import shared_path

RESIZE = {'type': 'Resize', 'scale': (171, 128), 'keep_ratio': False}
CROP = {'type': 'RandomCrop', 'size': 112}
FLIP = {'type': 'Flip', 'flip_ratio': 0.5}
JITTER = {'type': 'mmkd.ColorJitter', 'per_frame': True}


class Spy:
    """Keeps what passes between two transforms."""

    def __call__(self, results):
        self.results = {**results, 'imgs': list(results['imgs'])}
        return results


def loaded(clip, tmp_path, *augmentations):
    """Return the packed sample, and the results before they were packed."""
    path, spy = shared_path(clip), Spy()
    (tmp_path / 'list.txt').write_text(f'{path.name} 3\n')
    pipeline = [
        {'type': 'DecordInit'},
        {'type': 'mmkd.SegmentPaceViews', 'num_views': 2},
        {'type': 'mmkd.DecodeViews'},
        RESIZE,
        *augmentations,
        spy,
        {'type': 'FormatShape', 'input_format': 'NCTHW'},
        {'type': 'mmkd.PackViews', 'meta_keys': ('filename', 'view_records')},
    ]
    with DefaultScope.overwrite_default_scope('mmaction'):
        prefix = {'video': str(path.parent)}
        data = VideoDataset(str(tmp_path / 'list.txt'), pipeline, prefix)
    random.seed(7)
    np.random.seed(9)
    return data[0], spy.results


def sequential_frames(clip):
    """Decode the whole clip from its start, and resize it as the pipeline does."""
    reader = VideoReader(str(shared_path(clip)))
    frames = [reader.next().asnumpy() for _ in range(len(reader))]
    return [cv2.resize(frame, (171, 128)) for frame in frames]


@pytest.mark.parametrize('clip', CLIPS)
def test_without_augmentation_the_frames_are_those_of_the_indices(clip, tmp_path):
    packed, results = loaded(clip, tmp_path)
    frames = sequential_frames(clip)
    expected = np.stack([frames[index] for index in results['frame_inds']])
    expected = expected.reshape(2, 16, 128, 171, 3).transpose(0, 4, 1, 2, 3)
    np.testing.assert_array_equal(packed['inputs'].numpy(), expected)


@pytest.mark.parametrize('clip', CLIPS)
def test_each_view_has_one_crop_and_one_flip_of_its_own(clip, tmp_path):
    per_view = {'type': 'mmkd.PerView', 'transforms': [CROP, FLIP]}
    packed, results = loaded(clip, tmp_path, per_view)
    records = packed['data_samples'].view_records
    frames = sequential_frames(clip)
    for view, record in enumerate(records):
        left, top, right, bottom = record['crop_bbox'].tolist()
        for position in range(16):
            index = results['frame_inds'][16 * view + position]
            expected = frames[index][top:bottom, left:right]
            expected = expected[:, ::-1] if record['flip'] else expected
            ours = packed['inputs'][view, :, position].permute(1, 2, 0).numpy()
            np.testing.assert_array_equal(ours, expected)
    assert records[0]['crop_bbox'].tolist() != records[1]['crop_bbox'].tolist()
    assert {record['flip'] for record in records} == {True, False}


@pytest.mark.parametrize('clip', CLIPS)
def test_the_sample_of_auxskd(clip, tmp_path):
    per_view = {'type': 'mmkd.PerView', 'transforms': [CROP, FLIP, JITTER]}
    packed, _ = loaded(clip, tmp_path, per_view)
    plain, _ = loaded(clip, tmp_path, {**per_view, 'transforms': [CROP, FLIP]})
    assert packed['inputs'].shape == (2, 3, 16, 112, 112)
    assert packed['inputs'].dtype == torch.uint8
    changed = (packed['inputs'] != plain['inputs']).float().mean((1, 3, 4)) > 0
    assert 0 < changed.sum() < 32

    data_sample = packed['data_samples']
    speeds = data_sample.view_labels.speed.tolist()
    assert len(set(speeds)) == 2
    assert data_sample.gt_label.tolist() == [3]
    assert data_sample.filename == str(shared_path(clip))

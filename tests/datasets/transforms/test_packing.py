import numpy as np
import pytest
import torch
from mmengine.dataset import pseudo_collate
from mmengine.structures import LabelData

from mmkd.datasets.dense_targets import DenseTarget
from mmkd.datasets.transforms import PackViews
from mmkd.errors import UserError
from mmkd.registry import TRANSFORMS


def results(**more):
    return {
        'imgs': np.arange(96, dtype=np.uint8).reshape(2, 3, 4, 2, 2),
        'label': -1,
        'filename': 'a/b.avi',
        'img_shape': (2, 2),
        'view_labels': {
            'speed': np.array([3, 0]),
            'segment': np.array([1, -100], dtype=np.int32),
        },
        **more,
    }


def test_inputs_labels_and_meta():
    packed = PackViews()(results())
    assert packed['inputs'].dtype == torch.uint8
    np.testing.assert_array_equal(packed['inputs'], results()['imgs'])
    data_sample = packed['data_samples']
    assert isinstance(data_sample.view_labels, LabelData)
    assert set(data_sample.view_labels.keys()) == {'speed', 'segment'}
    for name, expected in (('speed', [3, 0]), ('segment', [1, -100])):
        label = data_sample.view_labels.get(name)
        assert label.dtype == torch.int64
        assert label.tolist() == expected
    assert data_sample.gt_label.tolist() == [-1]
    assert data_sample.filename == 'a/b.avi'
    assert data_sample.metainfo['img_shape'] == (2, 2)


def test_the_labels_move_with_the_sample():
    moved = PackViews()(results())['data_samples'].to('meta')
    assert moved.view_labels.speed.device.type == 'meta'


@pytest.mark.parametrize('labels', [{}, None])
def test_without_labels_the_field_is_absent(labels):
    given = results(view_labels=labels)
    if labels is None:
        del given['view_labels']
    assert 'view_labels' not in PackViews()(given)['data_samples']


def test_a_batch_is_collated():
    batch = pseudo_collate([PackViews()(results()) for _ in range(3)])
    assert [inputs.shape for inputs in batch['inputs']] == [(2, 3, 4, 2, 2)] * 3
    speeds = torch.stack([s.view_labels.speed for s in batch['data_samples']])
    assert speeds.tolist() == [[3, 0]] * 3


def test_meta_keys_can_be_chosen():
    pack = TRANSFORMS.build({'type': 'mmkd.PackViews', 'meta_keys': ('view_records',)})
    packed = pack(results(view_records=[{'flip': True}, {}]))
    assert packed['data_samples'].metainfo == {'view_records': [{'flip': True}, {}]}


MAPS = np.arange(96, dtype=np.uint8).reshape(2, 3, 4, 4)
VALID = np.array([[True, False, True], [False, True, True]])
TARGETS = {'targets': {'part_maps': DenseTarget(MAPS, VALID)}}


def test_dense_targets():
    sample = PackViews()(results(**TARGETS))['data_samples']
    target = sample.targets.part_maps
    assert target.maps.dtype == torch.uint8
    np.testing.assert_array_equal(target.maps, MAPS)
    assert target.valid.dtype == torch.bool
    np.testing.assert_array_equal(target.valid, VALID)
    assert sample.to('meta').targets.part_maps.maps.device.type == 'meta'
    assert 'targets' not in PackViews()(results())['data_samples']


@pytest.mark.parametrize(
    ('change', 'what'),
    [
        ({'targets': {'a': DenseTarget(MAPS[0], VALID[0])}}, "'a' is not aligned"),
        ({'view_labels': {'transform': np.array([1, 0])}}, 'ApplyClipTransform'),
    ],
)
def test_dense_targets_that_are_not_in_place(change, what):
    with pytest.raises(UserError, match=what):
        PackViews()(results(**TARGETS | change))

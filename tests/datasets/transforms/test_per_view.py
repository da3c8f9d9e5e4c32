import numpy as np
import pytest
from mmaction.datasets.transforms import CenterCrop, Flip, RandomCrop, ThreeCrop

from mmkd.datasets.transforms import PerView
from mmkd.errors import UserError
from mmkd.registry import TRANSFORMS


def sample(views=2, clip_len=3, height=20, width=30):
    """Frames whose channels are row, column and position."""
    rows, columns = np.mgrid[:height, :width].astype(np.uint8)
    imgs = [
        np.stack([rows, columns, np.full_like(rows, position)], axis=-1)
        for position in range(views * clip_len)
    ]
    return {
        'imgs': imgs,
        'num_clips': views,
        'clip_len': clip_len,
        'img_shape': (height, width),
        'modality': 'RGB',
        'view_labels': {'speed': np.arange(views)},
    }


def write(**values):
    """Return a transform that writes these values."""

    def transform(results):
        return {**results, **values}

    return transform


def test_crop_and_flip_are_those_of_the_records_and_the_same_within_a_view():
    np.random.seed(1)
    results = PerView([RandomCrop(8), Flip(0.5)])(sample(views=6))
    boxes, flips = [], []
    for position, image in enumerate(results['imgs']):
        record = results['view_records'][position // 3]
        left, top, right, bottom = record['crop_bbox'].tolist()
        expected = sample(views=6)['imgs'][position][top:bottom, left:right]
        expected = expected[:, ::-1] if record['flip'] else expected
        np.testing.assert_array_equal(image, expected)
        assert record['img_shape'] == (8, 8)
        boxes.append((left, top))
        flips.append(record['flip'])
    assert len(set(boxes)) > 3
    assert set(flips) == {True, False}
    assert results['img_shape'] == (8, 8)


def test_inner_transforms_see_one_clip():
    seen = []

    def look(results):
        labels = results['view_labels']['speed'].tolist()
        seen.append((results['num_clips'], len(results['imgs']), labels))
        return results

    results = PerView([look])(sample())
    assert seen == [(1, 3, [0]), (1, 3, [1])]
    assert results['num_clips'] == 2
    assert results['view_labels']['speed'].tolist() == [0, 1]


def test_records_hold_only_what_was_added_or_changed():
    results = PerView([Flip(1)])({**sample(), 'label': 4})
    assert (
        results['view_records'] == [{'flip': True, 'flip_direction': 'horizontal'}] * 2
    )
    assert 'flip' not in results
    results = PerView([write(modality='Flow', label=7)])({**sample(), 'label': 4})
    assert results['view_records'] == [{'modality': 'Flow', 'label': 7}] * 2
    assert (results['modality'], results['label']) == ('RGB', 4)


def test_a_second_one_goes_on_from_the_record_of_each_view():
    np.random.seed(0)
    results = PerView([RandomCrop(16)])(sample())
    first = [dict(record) for record in results['view_records']]
    results = PerView([CenterCrop(8), Flip(1)])(results)
    for before, after in zip(first, results['view_records'], strict=True):
        x, y, w, h = before['crop_quadruple']
        np.testing.assert_allclose(
            after['crop_quadruple'], [x + w / 4, y + h / 4, w / 2, h / 2], rtol=1e-6
        )
        assert after['flip'] is True
    assert first[0]['crop_quadruple'].tolist() != first[1]['crop_quadruple'].tolist()


def test_state_does_not_leak_from_view_to_view():
    def count(results):
        results['lazy']['count'] += 1
        return {**results, 'counted': results['lazy']['count']}

    results = PerView([count])({**sample(views=3), 'lazy': {'count': 0}})
    assert [record['counted'] for record in results['view_records']] == [1, 1, 1]
    assert results['lazy'] == {'count': 0}


def test_labels_written_inside_are_joined():
    turns = iter([3, 1])

    def rotate(results):
        results['view_labels']['turn'] = np.array([next(turns)])
        return results

    results = PerView([rotate])(sample())
    assert results['view_labels']['turn'].tolist() == [3, 1]
    assert results['view_labels']['speed'].tolist() == [0, 1]


def test_views_of_different_sizes_are_the_users_error():
    crops = iter([8, 10])
    with pytest.raises(UserError, match=r'sizes \[\(8, 8\), \(10, 10\)\]'):
        PerView([lambda results: CenterCrop(next(crops))(results)])(sample())


def test_a_changed_number_of_frames_is_the_users_error():
    with pytest.raises(UserError, match='a clip of 3 frames ends with 9'):
        PerView([ThreeCrop(20)])(sample())


def test_views_that_show_a_frame_several_times_are_the_users_error():
    with pytest.raises(UserError, match='18 frames for 2 views of 3'):
        PerView([])(ThreeCrop(20)(sample()))


def test_labels_of_one_view_only_are_the_users_error():
    names = iter('ab')

    def label(results):
        results['view_labels'][next(names)] = np.array([0])
        return results

    with pytest.raises(UserError, match='different labels'):
        PerView([label])(sample())


def test_a_group_shares_every_draw_and_the_others_draw_again():
    np.random.seed(3)
    results = PerView([RandomCrop(8), Flip(0.5)], groups=((1,), (2, 0)))(
        sample(views=3)
    )
    boxes = [r['crop_bbox'].tolist() for r in results['view_records']]
    assert boxes[0] == boxes[2] != boxes[1]
    plain = sample(views=3)['imgs']
    for position, image in enumerate(results['imgs']):
        record = results['view_records'][position // 3]
        left, top, right, bottom = record['crop_bbox'].tolist()
        expected = plain[position][top:bottom, left:right]
        expected = expected[:, ::-1] if record['flip'] else expected
        np.testing.assert_array_equal(image, expected)


def test_a_group_passes_as_one_clip_and_its_labels_return_to_their_views():
    seen = []

    def look(results):
        speeds = results['view_labels']['speed'].tolist()
        seen.append((results['num_clips'], results['clip_len'], speeds))
        assert len(results['imgs']) == results['clip_len']
        results['view_labels']['turn'] = np.array([len(speeds)])
        return results

    results = PerView([look], groups=((2, 0), (1,)))(sample(views=3))
    assert seen == [(1, 6, [2, 0]), (1, 3, [1])]
    assert (results['num_clips'], results['clip_len']) == (3, 3)
    assert results['view_labels']['speed'].tolist() == [0, 1, 2]
    assert results['view_labels']['turn'].tolist() == [2, 1, 2]
    positions = [int(image[0, 0, 2]) for image in results['imgs']]
    assert positions == list(range(9))


@pytest.mark.parametrize('groups', [((0,), (1,)), ((0, 1), (1, 2)), ((0, 1, 2, 3),)])
def test_groups_that_are_no_partition_are_the_users_error(groups):
    with pytest.raises(UserError, match=r'for 3 views.*each of the views 0 to 2 once'):
        PerView([], groups=groups)(sample(views=3))


def test_none_is_handed_on():
    assert PerView([lambda results: None])(sample()) is None


def test_it_is_built_from_a_config_with_inner_configs():
    crop = {'type': 'mmaction.CenterCrop', 'crop_size': 4}
    per_view = TRANSFORMS.build({'type': 'mmkd.PerView', 'transforms': [crop]})
    results = per_view(sample())
    assert {image.shape for image in results['imgs']} == {(4, 4, 3)}


def test_views_that_are_not_named_pass_and_their_new_labels_are_ignored():
    def turn(results):
        results['imgs'] = [image + 100 for image in results['imgs']]
        results['view_labels']['turn'] = np.array([2])
        return results

    plain = sample(views=3)['imgs']
    results = PerView([turn], views=[1])(sample(views=3))
    for position, image in enumerate(results['imgs']):
        added = 100 if position // 3 == 1 else 0
        np.testing.assert_array_equal(image, plain[position] + added)
    assert results['view_labels']['turn'].tolist() == [-100, 2, -100]
    assert results['view_labels']['speed'].tolist() == [0, 1, 2]


def test_impossible_views_are_the_users_error():
    with pytest.raises(UserError, match='Give one of them'):
        PerView([], groups=((0,),), views=(0,))
    with pytest.raises(UserError, match=r'views \(2,\) of 2\. Name 0 to 1'):
        PerView([], views=(2,))(sample(views=2))

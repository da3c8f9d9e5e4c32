"""Where the pixels of a view come from, as a replayed transform tells it."""

import random
import re
from pathlib import Path

import numpy as np
import pytest
from mmaction.datasets.transforms import (
    CenterCrop,
    Flip,
    Fuse,
    ImgAug,
    PytorchVideoWrapper,
    RandomCrop,
    Resize,
    TenCrop,
    ThreeCrop,
    TorchVisionWrapper,
)
from mmaction.registry import TRANSFORMS as MMACTION

from mmkd.datasets.transforms import PerView
from mmkd.datasets.transforms.following import (
    CORNERS,
    TARGETS,
    WHOLE_FRAME,
    run_transforms,
    within,
)
from mmkd.errors import UserError
from mmkd.methods.clip_operations import ApplyClipTransform
from mmkd.methods.rotation import RandomQuarterTurn

HEIGHT, WIDTH = 12, 16


def picture(height=HEIGHT, width=WIDTH):
    """Each pixel holds its own coordinates in the frame, and nothing."""
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    return np.stack([x, y, 0 * x], axis=-1).astype(np.uint8)


def sample(views=1, clip_len=2, size=(HEIGHT, WIDTH), **more):
    return {
        'imgs': [picture(*size) for _ in range(views * clip_len)],
        'img_shape': size,
        'modality': 'RGB',
        'num_clips': views,
        'clip_len': clip_len,
        CORNERS: np.tile(WHOLE_FRAME, (views, 1, 1)),
        TARGETS: {},
        **more,
    }


def corners(corner):
    """Where the first and the last corner of a view lie in a frame of 16 x 12."""
    last = corner[1] + corner[2] - corner[0]
    return (np.stack([corner[0], last]) * [WIDTH, HEIGHT]).tolist()


def check(results, size=(HEIGHT, WIDTH)):
    """The centre of each pixel leads back to the pixel that it shows."""
    per_view = len(results['imgs']) // len(results[CORNERS])
    for view, corner in enumerate(results[CORNERS]):
        image = results['imgs'][view * per_view]
        shares = [(np.arange(n) + 0.5) / n for n in image.shape[1::-1]]
        points = within(corner[None], np.stack(np.meshgrid(*shares), axis=-1))[0]
        np.testing.assert_allclose(points * size[::-1], image[..., :2] + 0.5, atol=1e-9)


@pytest.mark.parametrize(
    'transform', [ThreeCrop((8, 12)), TenCrop(8), RandomCrop(5), CenterCrop((20, 8))]
)
@pytest.mark.parametrize('views', [1, 2])
def test_crops(transform, views):
    """A crop that is larger than the frame leaves what it leaves."""
    results = run_transforms([transform], sample(views))
    assert len(results['imgs']) == 2 * len(results[CORNERS])
    check(results)


def test_random_chains_of_crops_flips_and_turns():
    random.seed(0)
    np.random.seed(0)
    flips = Flip(0.5), Flip(0.5, direction='vertical')
    for _ in range(50):
        size = 40
        results = sample(2, size=(size, size))
        for step in random.choices(range(4), k=6):
            size -= 3 if step == 0 else 0
            steps = RandomCrop(size), RandomQuarterTurn(), *flips
            inside = step == 1 or random.random() < 0.5
            chosen = [PerView([steps[step]])] if inside else [steps[step]]
            results = run_transforms(chosen, results)
        check(results, (40, 40))


@pytest.mark.parametrize(
    'interpolation', ['bilinear', 'nearest', 'area', 'bicubic', 'lanczos']
)
@pytest.mark.parametrize('scale', [(8, 6), (32, 24), (37, 11), (16, 12)])
def test_a_resize_keeps_the_edges(interpolation, scale):
    resize = Resize(scale, keep_ratio=False, interpolation=interpolation)
    found = run_transforms([resize], sample())[CORNERS]
    np.testing.assert_array_equal(found[0], WHOLE_FRAME)
    lazy = Resize(scale, keep_ratio=False, interpolation=interpolation, lazy=True)
    found = run_transforms([lazy, Fuse()], sample())[CORNERS]
    np.testing.assert_array_equal(found[0], WHOLE_FRAME)
    assert resize.interpolation == interpolation


def test_the_order_counts():
    first = run_transforms([Flip(1), CenterCrop(8)], sample())
    second = run_transforms([CenterCrop((8, 10)), Flip(1)], sample())
    assert corners(first[CORNERS][0]) == [[12, 2], [4, 10]]
    assert corners(second[CORNERS][0]) == [[12, 1], [4, 11]]


def test_a_flip_that_was_not_done_is_none():
    for flips in ([Flip(0)], [Flip(1), Flip(1)]):
        done = run_transforms(flips, sample())
        assert corners(done[CORNERS][0]) == [[0, 0], [16, 12]]
    done = run_transforms([Flip(1), Flip(0)], sample())
    assert corners(done[CORNERS][0]) == [[16, 0], [0, 12]]


def test_fuse_is_where_lazy_transforms_happen():
    lazy = Resize((32, 24), lazy=True), CenterCrop((10, 10), lazy=True)
    results = run_transforms(lazy, sample())
    assert corners(results[CORNERS][0]) == [[0, 0], [16, 12]]
    # In the frame from (5.5, 3.5) to (10.5, 8.5), which Fuse rounds to even pixels.
    results['lazy']['crop_bbox'] = np.array([5.5, 3.5, 10.5, 8.5])
    results = run_transforms([Fuse()], results)
    assert corners(results[CORNERS][0]) == [[6, 4], [10, 8]]
    assert results['imgs'][0].shape[:2] == (10, 10)


def test_ten_crops_are_five_positions_and_their_mirrors():
    found = run_transforms([TenCrop(8)], sample(views=2))[CORNERS]
    found = [corners(corner) for corner in found]
    assert found[::2] == found[1::2]  # the two views
    points = [(0, 0), (8, 0), (0, 4), (8, 4), (4, 2)]
    for (x, y), plain, mirror in zip(points, found[::4], found[2::4], strict=True):
        assert plain == [[x, y], [x + 8, y + 8]]
        assert mirror == [[x + 8, y], [x, y + 8]]


def draws():
    return random.random(), np.random.rand()


def test_generators_are_left_as_without_targets():
    chain = [PerView([RandomCrop(8), RandomQuarterTurn(), Flip(0.5)])]
    left = []
    for targets in (True, False):
        results = sample(3)
        if not targets:
            del results[CORNERS], results[TARGETS]
        random.seed(4)
        np.random.seed(4)
        done = run_transforms(chain, results)
        images = [image.tobytes() for image in done['imgs']]
        left.append((draws(), images, str(done['view_records'])))
    assert left[0] == left[1]


class Moving:
    """A transform of a user's that says that it moves pixels."""

    moves_pixels = True

    def __init__(self, change):
        self.change = change

    def __call__(self, results):
        results['imgs'] = [self.change(image) for image in results['imgs']]
        return results


def test_a_transform_of_ones_own_is_followed_by_what_it_does():
    upper = Moving(lambda image: image[2:8])
    check(run_transforms([upper, PerView([Moving(lambda x: x[:, ::-1])])], sample()))


def test_a_new_dict_is_followed_as_well():
    def fresh(results):
        return {**results, 'imgs': [image[:6] for image in results['imgs']]}

    fresh.moves_pixels = True
    results = run_transforms([fresh], sample(targets={'a': 1}))
    check(results)
    assert results[TARGETS] == {'a': 1}


def halved(results):
    results['imgs'] = results['imgs'][: len(results['imgs']) // 2]
    return results


halved.moves_pixels = False
smaller = Moving(lambda image: image[:6])
smaller.moves_pixels = False


@pytest.mark.parametrize(
    ('transform', 'message'),
    [
        (lambda results: results, 'cannot follow <lambda>, of which it is not known'),
        (dict, 'cannot follow dict'),
        (PerView([dict]), 'cannot follow dict'),
        (ApplyClipTransform(), 'cannot follow ApplyClipTransform'),
        (halved, r'it left 1 frames .* not 2'),
        (smaller, r'2 frames of \(6, 16\) pixels, not 2 of \(12, 16\)'),
        (Moving(lambda x: np.roll(x, 7, axis=1)), 'more than resize, crop, flip'),
        (Moving(lambda x: x[:, :1]), 'a view of one pixel'),
    ],
)
def test_what_cannot_be_followed_is_refused(transform, message):
    with pytest.raises(UserError, match=message):
        run_transforms([transform], sample())


class ColorJitter:
    """Stands for torchvision's, which need not be there."""

    def __call__(self, images):
        return images + 1


class RandomRotation(ColorJitter):
    pass


def wrapper(kind, inner):
    """Build a wrapper around a transform of ours."""
    made = kind.__new__(kind)
    made.trans, made.op = inner, 'AugMix'
    return made


@pytest.mark.parametrize(
    ('kind', 'inner', 'name'),
    [
        (ImgAug, None, 'ImgAug'),
        (TorchVisionWrapper, RandomRotation(), 'TorchVisionWrapper of RandomRotation'),
        (PytorchVideoWrapper, ColorJitter(), 'PytorchVideoWrapper of ColorJitter'),
    ],
)
@pytest.mark.parametrize('inside', [False, True])
def test_wrappers_that_move_pixels_are_refused(kind, inner, name, inside):
    transform = wrapper(kind, inner)
    with pytest.raises(UserError, match=f'cannot follow {name}, of which'):
        run_transforms([PerView([transform]) if inside else transform], sample())


def test_colours_of_torchvision_pass():
    before = sample()
    results = run_transforms([wrapper(TorchVisionWrapper, ColorJitter())], sample())
    assert (results['imgs'][0] == before['imgs'][0] + 1).all()
    assert corners(results[CORNERS][0]) == [[0, 0], [16, 12]]


def test_samples_without_targets_are_left_alone():
    plain = {'imgs': [np.zeros((4, 4, 3), np.uint8)] * 2}
    transform = wrapper(TorchVisionWrapper, RandomRotation())
    results = run_transforms([transform], plain)
    assert {image.max() for image in results['imgs']} == {1}
    assert run_transforms([lambda results: None, dict], plain) is None


def test_the_page_says_of_every_transform_what_the_maps_do():
    page = Path(__file__).parents[3] / 'docs' / 'part_maps.md'
    named = set(re.findall(r'`([A-Za-z0-9]+)`', page.read_text(encoding='utf-8')))
    registered = {
        name
        for name, kind in MMACTION.module_dict.items()
        if kind.__module__.startswith('mmaction.')
    }
    assert len(registered) > 50
    assert registered - named == set()

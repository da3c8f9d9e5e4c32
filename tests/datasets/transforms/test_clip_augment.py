import random

import numpy as np
import pytest
import torch

from mmkd.datasets.transforms import (
    ClipAugment,
    ColorJitter,
    GaussianBlur,
    RandomGrayscale,
)
from mmkd.errors import UserError
from mmkd.registry import TRANSFORMS

BLUR = {'p': 0.5, 'sigma': (0.3, 1.5)}
ALL = {'flip': 0.5, 'jitter': {'p': 0.8}, 'gray': 0.2, 'blur': BLUR}


def clips(count=3, views=2, length=4, size=24):
    """Return clips ``(N, M, 3, T, H, W)`` of which no two frames are equal."""
    rng = np.random.default_rng(0)
    shape = (count, views, 3, length, size, size + 4)
    return torch.from_numpy(rng.integers(0, 256, shape, dtype=np.uint8))


def augmented(batch, seed=0, **options):
    random.seed(seed)
    return ClipAugment(**options).augment(batch)


def frame_by_frame(transform, batch):
    """Apply a transform of images to each clip."""
    result = batch.clone()
    for index in np.ndindex(batch.shape[:2]):
        images = list(batch[index].permute(1, 2, 3, 0).numpy())
        images = transform({'imgs': images})['imgs']
        result[index] = torch.from_numpy(np.stack(images)).permute(3, 0, 1, 2)
    return result


@pytest.mark.parametrize('per_frame', [False, True])
def test_colours_are_those_of_images_with_the_same_draws(per_frame):
    jitter = {'p': 0.7, 'per_frame': per_frame}
    ours = augmented(clips(), jitter=jitter, gray=0.4, blur=BLUR)
    in_turn = ColorJitter(**jitter), RandomGrayscale(0.4), GaussianBlur(**BLUR)

    def by_images(results):
        random.random()  # for the flip
        for transform in in_turn:
            results = transform(results)
        return results

    random.seed(0)
    differences = (ours.int() - frame_by_frame(by_images, clips()).int()).abs()
    # Equal, but for a hue or a saturation that is rounded the other way (see
    # test_augmentation), which what follows may enlarge.
    assert differences.max() <= 4
    assert differences.float().mean() < 1e-4
    assert (ours != clips()).float().mean() > 0.5


def test_crops_are_windows_at_their_own_positions():
    batch = clips(10, 1)
    ours, positions = augmented(batch, crop=16), set()
    for clip, crop in zip(batch[:, 0], ours[:, 0], strict=True):
        windows = clip.unfold(2, 16, 1).unfold(3, 16, 1)
        found = (windows == crop[:, :, None, None]).all(-1).all(-1).all(0).all(0)
        assert found.sum() == 1
        positions.add(tuple(found.nonzero()[0].tolist()))
    assert len(positions) > 5


def test_the_share_of_flipped_clips():
    batch = clips(200, 2, 1, 4)
    ours = augmented(batch, flip=0.3)
    same = (ours == batch).flatten(2).all(2)
    turned = (ours == batch.flip(-1)).flatten(2).all(2)
    assert (same ^ turned).all()
    # deviation 0.023; four of them
    assert abs(turned.float().mean() - 0.3) < 0.092


def test_a_draw_holds_for_all_frames_and_views_draw_for_themselves():
    still = clips(1, 1, 1).expand(3, 2, 3, 4, 24, 28)
    ours = augmented(still, crop=16, **ALL)
    assert (ours == ours[:, :, :, :1]).all()
    assert len({clip.numpy().tobytes() for clip in ours.flatten(0, 1)}) > 4


def test_without_options_nothing_happens_and_the_input_is_left_alone():
    batch = clips()
    assert torch.equal(ClipAugment().augment(batch), batch)
    augmented(batch, **ALL)
    assert torch.equal(batch, clips())


@pytest.mark.parametrize('lead', [(), (2,), (3, 2)])
def test_any_number_of_leading_axes(lead):
    batch = clips()[(0,) * (2 - len(lead))][tuple(slice(n) for n in lead)]
    assert augmented(batch, crop=10, **ALL).shape == (*lead, 3, 4, 10, 10)


def test_the_worker_and_the_device_do_the_same():
    augment = TRANSFORMS.build({'type': 'mmkd.ClipAugment', 'crop': 16, **ALL})
    random.seed(3)
    together = augment.augment(clips(3, 2))
    random.seed(3)
    one_by_one = torch.stack([augment.augment(sample) for sample in clips(3, 2)])
    assert torch.equal(together, one_by_one)
    random.seed(3)
    worker = augment({'imgs': clips(3, 2)[0].numpy()})
    np.testing.assert_array_equal(worker['imgs'], one_by_one[0])
    assert worker['img_shape'] == (16, 16)


@pytest.mark.skipif(not torch.cuda.is_available(), reason='there is no GPU')
def test_the_gpu_gives_what_the_cpu_gives():
    ours = augmented(clips().cuda(), crop=16, **ALL).cpu()
    assert torch.equal(ours, augmented(clips(), crop=16, **ALL))


def test_crops_smaller_than_the_blur_are_mirrored_again_and_again():
    ours = augmented(clips(1, 1), crop=2, blur={'p': 1, 'sigma': (2, 2)})
    still = augmented(clips(1, 1), crop=2)
    by_image = frame_by_frame(GaussianBlur((2, 2), p=1), still)
    assert torch.equal(ours, by_image) and not torch.equal(ours, still)


@pytest.mark.parametrize(
    ('option', 'name'),
    [
        ({'flip': 1.5}, 'flip=1.5'),
        ({'crop': 0}, 'crop=0'),
        ({'gray': -1}, 'Grayscale: p=-1'),
        ({'jitter': {'hue': 0.7}}, 'hue=0.7'),
    ],
)
def test_values_out_of_range_are_the_users_error(option, name):
    with pytest.raises(UserError, match=name):
        ClipAugment(**option)


def test_clips_that_do_not_suit_are_the_users_error():
    with pytest.raises(UserError, match=r'float32.*before normalisation'):
        ClipAugment().augment(clips().float())
    with pytest.raises(UserError, match='25 pixels from frames of 28 x 24'):
        ClipAugment(crop=25).augment(clips())
    with pytest.raises(UserError, match='behind FormatShape'):
        ClipAugment()({'imgs': [np.zeros((4, 4, 3), np.uint8)]})
    with pytest.raises(UserError, match='dense targets do not follow'):
        ClipAugment(flip=0.5)({'imgs': clips()[0].numpy(), 'targets': 1})

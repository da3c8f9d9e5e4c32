import pytest
import torch

from mmkd.distill.two_preprocessors import (
    TeacherPreprocessor,
    TwoPreprocessors,
    same_pixels,
    take_evenly,
)
from mmkd.errors import UserError
from mmkd.models.clip_preprocessor import ClipPreprocessor
from tests.distill.tiny import clips


def test_each_gets_its_own_convention_of_the_same_pixels() -> None:
    both = TwoPreprocessors(
        ClipPreprocessor('imagenet'), TeacherPreprocessor(ClipPreprocessor('bgr255'))
    )
    data = clips()
    raw = torch.stack(data['inputs']).float()
    batch = both(data, training=True)
    assert torch.equal(batch['teacher_inputs'], raw[:, :, [2, 1, 0]])
    mean, std = torch.tensor([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]])
    shape = (1, 1, 3, 1, 1, 1)
    expected = (raw / 255 - mean.view(shape)) / std.view(shape)
    torch.testing.assert_close(batch['inputs'], expected)
    assert [s.gt_label.item() for s in batch['data_samples']] == [0, 1, 2, 0]
    assert both.convention.name == 'imagenet'


def test_outside_of_training_it_is_the_students() -> None:
    student = ClipPreprocessor('rgb01')
    teacher = TeacherPreprocessor(ClipPreprocessor('bgr255'))
    both = TwoPreprocessors(student, teacher, student_frames=2)
    batch = both(clips(), training=False)
    assert batch.keys() == {'inputs', 'data_samples'}
    assert torch.equal(batch['inputs'], student(clips(), False)['inputs'])


def test_frames_are_taken_before_differences_and_sizes_may_differ() -> None:
    """Residual frames of a subset are those that a test on that subset sees."""
    student = ClipPreprocessor('rgb01', residual=True)
    teacher = TeacherPreprocessor(ClipPreprocessor('bgr255'), size=(8, 12))
    batch = TwoPreprocessors(student, teacher, student_frames=2)(clips(), True)
    every_other = clips()
    every_other['inputs'] = [clip[:, :, [0, 2]] for clip in every_other['inputs']]
    assert torch.equal(batch['inputs'], student(every_other, False)['inputs'])
    assert batch['teacher_inputs'].shape == (4, 1, 3, 4, 8, 12)
    flat = {'inputs': [torch.full((2, 3, 4, 16, 16), 77, dtype=torch.uint8)]}
    found = teacher({**flat, 'data_samples': []})
    assert found.shape == (1, 2, 3, 4, 8, 12) and (found == 77).all()


def test_frames_that_do_not_divide_are_named() -> None:
    clip = torch.zeros(1, 3, 6, 4, 4)
    assert torch.equal(
        take_evenly(torch.arange(6).view(1, 1, 6, 1, 1), 3).flatten(),
        torch.tensor([0, 2, 4]),
    )
    with pytest.raises(UserError, match=r'4 frames cannot .* \(1, 3, 6, 4, 4\)'):
        take_evenly(clip, 4)


def test_alike_are_those_that_treat_pixels_alike() -> None:
    first = ClipPreprocessor('imagenet')
    assert same_pixels(first, ClipPreprocessor('imagenet'))
    assert not same_pixels(first, ClipPreprocessor('kinetics'))
    assert not same_pixels(first, ClipPreprocessor('imagenet', residual=True))
    mixing = {'type': 'MixupBlending', 'num_classes': 3}
    assert same_pixels(first, ClipPreprocessor('imagenet', blending=mixing))


def test_alike_are_those_that_augment_alike() -> None:
    def crops(**jitter: float) -> ClipPreprocessor:
        augment = {'type': 'mmkd.ClipAugment', 'flip': 0.5, 'jitter': jitter}
        return ClipPreprocessor('imagenet', augment=augment)

    assert same_pixels(crops(hue=0.1), crops(hue=0.1))
    assert not same_pixels(crops(hue=0.1), crops(hue=0.2))
    assert not same_pixels(crops(), ClipPreprocessor('imagenet'))

import pytest
import torch
from mmaction.structures import ActionDataSample

from mmkd.errors import UserError
from mmkd.models import ClipPreprocessor
from mmkd.models.input_convention import CONVENTIONS, get_convention


def preprocessed(name: str, clip: torch.Tensor) -> torch.Tensor:
    data = {'inputs': [clip], 'data_samples': [ActionDataSample()]}
    return ClipPreprocessor(name)(data)['inputs']


@pytest.mark.parametrize('name', sorted(CONVENTIONS))
def test_equals_the_convention_pixel_by_pixel(name: str) -> None:
    convention = CONVENTIONS[name]
    clip = torch.randint(0, 256, (2, 3, 4, 5, 6), dtype=torch.uint8)
    result = preprocessed(name, clip)
    assert result.shape == (1, 2, 3, 4, 5, 6)
    assert result.dtype == torch.float32
    order = [2, 1, 0] if convention.channel_order == 'BGR' else [0, 1, 2]
    for index, channel in enumerate(order):
        value = clip[:, channel].double() * convention.value_range / 255
        value = (value - convention.mean[index]) / convention.std[index]
        torch.testing.assert_close(
            result[0, :, index].double(), value, rtol=1e-5, atol=1e-5
        )


def test_auxskd_sees_blue_first_and_raw_values() -> None:
    red = torch.tensor([200, 10, 30], dtype=torch.uint8).view(1, 3, 1, 1, 1)
    assert preprocessed('bgr255', red).flatten().tolist() == [30.0, 10.0, 200.0]


def test_unknown_name() -> None:
    with pytest.raises(UserError, match=r"'bgr'\. Choose one of bgr255"):
        get_convention('bgr')


def test_as_dict_is_plain() -> None:
    assert get_convention('imagenet').as_dict() == {
        'name': 'imagenet',
        'channel_order': 'RGB',
        'value_range': 1,
        'mean': [0.485, 0.456, 0.406],
        'std': [0.229, 0.224, 0.225],
    }

import torch

from mmkd.models.human_parsers.human_parser import (
    keypoint_probabilities,
    with_background,
)


def test_parts_share_the_person() -> None:
    person = torch.tensor([0.25, 0.8]).reshape(1, 1, 1, 2)
    parts = torch.tensor([[0.5, 0.1], [0.5, 0.9]]).reshape(1, 2, 1, 2)
    result = with_background(person, parts)
    expected = [[0.75, 0.2], [0.125, 0.08], [0.125, 0.72]]
    torch.testing.assert_close(result[0, :, 0], torch.tensor(expected))


def test_joints_share_the_likeliest_in_proportion() -> None:
    # No joint; one joint; two at once; beyond 0..1.
    maps = torch.tensor([[0.0, 0.5, 0.9, 3.0], [0.0, 0.0, 0.3, -1.0]])
    result = keypoint_probabilities(maps.reshape(1, 2, 1, 4))[0, :, 0]
    expected = [[1.0, 0.5, 0.1, 0.0], [0.0, 0.5, 0.675, 1.0], [0.0, 0.0, 0.225, 0.0]]
    torch.testing.assert_close(result, torch.tensor(expected))
    torch.testing.assert_close(result.sum(0), torch.ones(4))

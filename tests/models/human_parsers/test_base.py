from typing import Any

import pytest
import torch
from torch import Tensor, nn

from mmkd.errors import UserError
from mmkd.models.human_parsers import HumanParser
from mmkd.part_labels import LabelSet

LABELS = LabelSet('custom', ('background', 'person'))
FRAMES = torch.zeros(2, 3, 4, 4, dtype=torch.uint8)


class Parser(HumanParser):
    def __init__(self, **settings: Any) -> None:
        network = nn.Sequential(nn.Conv2d(3, 2, 1), nn.BatchNorm2d(2), nn.Dropout(0.5))
        super().__init__(LABELS, settings, network)

    def probabilities(self, frames: Tensor) -> Tensor:
        assert self.network is not None
        return self.network(frames.float()).softmax(1)


def test_always_in_eval_and_frozen() -> None:
    parser = nn.Sequential(Parser()).train()
    assert {module.training for module in parser[0].modules()} == {False}
    assert not any(p.requires_grad for p in parser.parameters())
    before = {k: v.clone() for k, v in parser.state_dict().items()}
    first = parser(FRAMES)
    assert torch.equal(first, parser(FRAMES))
    assert not first.requires_grad
    assert all(torch.equal(v, before[k]) for k, v in parser.state_dict().items())


def test_autocast_around_it_changes_nothing() -> None:
    parser = Parser()
    plain = parser(FRAMES + 7)
    with torch.autocast('cpu', torch.bfloat16):
        cast = parser(FRAMES + 7)
    assert cast.dtype == torch.float32
    assert torch.equal(plain, cast)


def test_many_frames_go_through_in_parts() -> None:
    parser = Parser()
    frames = torch.arange(5 * 48).reshape(5, 3, 4, 4).to(torch.uint8)
    whole = parser(frames)
    seen = []
    inner = parser.probabilities
    parser.probabilities = lambda x: (seen.append(len(x)), inner(x))[1]
    parser.frames_at_once = 2
    torch.testing.assert_close(parser(frames), whole)
    assert seen == [2, 2, 1]


def test_parse_is_forward_unless_overridden() -> None:
    parser = Parser()
    assert torch.equal(parser.parse(FRAMES, 'a.mp4', [0, 5]), parser(FRAMES))


@pytest.mark.parametrize('frames', [FRAMES.float(), FRAMES[0], FRAMES[:, :1]])
def test_other_frames_are_refused(frames: Tensor) -> None:
    with pytest.raises(UserError, match=r'Give uint8 RGB frames \(F, 3, H, W\)'):
        Parser()(frames)


def test_without_frames_the_name_is_needed() -> None:
    with pytest.raises(UserError, match='goes by the name of the video'):
        HumanParser(LABELS, {})(FRAMES)


def test_identity_tells_weights_and_settings_apart() -> None:
    torch.manual_seed(0)
    parser = Parser(size=8)
    identity = parser.identity()
    assert {k: v for k, v in identity.items() if k != 'weights'} == {
        'name': 'Parser',
        'label_set': 'custom',
        'size': 8,
    }
    assert parser.identity() == identity
    assert Parser(size=8).identity()['weights'] != identity['weights']
    twin = Parser(size=9)
    twin.load_state_dict(parser.state_dict())
    assert twin.identity() == {**identity, 'size': 9}

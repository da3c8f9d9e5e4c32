"""The online parser: its maps, and that the model does not hold it."""

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.optim import build_optim_wrapper
from torch import Tensor, nn

from mmkd.errors import UserError
from mmkd.methods.human_prior import ParsingPreprocessor
from mmkd.models import Pretrainer
from mmkd.models.human_parsers import HumanParser
from mmkd.models.teacher import state_hash
from mmkd.part_labels import get_label_set
from mmkd.registry import MODELS
from tests.methods.human_prior.toy import human_prior, raw_batch


@MODELS.register_module()
class BrightParser(HumanParser):
    """Says part 3 where red is above 127, part 1 where green is, else background."""

    def __init__(self) -> None:
        network = nn.Sequential(nn.Conv2d(3, 15, 1), nn.Dropout(0.9))
        super().__init__(get_label_set('synthetic'), {}, network)
        self.calls: list[tuple[int, ...]] = []
        with torch.no_grad():
            conv = network[0]
            conv.weight.zero_()
            conv.bias.fill_(-500)
            conv.bias[0] = 127.5
            conv.weight[1, 1] = conv.weight[3, 0] = 1
            conv.weight[3, 0] = 2
            conv.bias[1], conv.bias[3] = 0, -127.5

    def probabilities(self, frames: Tensor) -> Tensor:
        self.calls.append(tuple(frames.shape))
        assert not torch.is_grad_enabled()
        assert self.network is not None and not self.network.training
        return self.network(frames.float()).softmax(dim=1)


@MODELS.register_module()
class NamedParser(BrightParser):
    def parse(self, frames: Tensor, video: str, frame_inds: Sequence[int]) -> Tensor:
        return self(frames)


ONLINE = {'type': 'mmkd.ParsingPreprocessor', 'parser': {'type': 'mmkd.BrightParser'}}


def preprocessor(**options: Any) -> ParsingPreprocessor:
    cfg = {**ONLINE, 'convention': 'imagenet'}
    return MODELS.build({**cfg, 'size': 8, **options})


def online(**options: Any) -> Pretrainer:
    cfg = {**ONLINE, 'convention': 'imagenet'}
    return human_prior(data_preprocessor={**cfg, 'size': 8, **options})


def bare_batch(seed: int = 0) -> dict[str, Any]:
    data = raw_batch(2, seed)
    for sample in data['data_samples']:
        del sample.targets
    return data


def red_and_green() -> dict[str, Any]:
    """Clips whose upper left is red, whose lower right is green, else black."""
    data = bare_batch()
    for clip in data['inputs']:
        clip.zero_()
        clip[:, 0, :, :16, :16] = 255
        clip[:, 1, :, 16:, 16:] = 255
    data['inputs'][1][:, :, 5] = 0
    return data


def test_maps_are_what_the_parser_says_of_the_pixels() -> None:
    found = preprocessor(views=(0, 2), batch_size=5)(red_and_green(), True)
    expected = torch.zeros(8, 8, dtype=torch.uint8)
    expected[:4, :4], expected[4:, 4:] = 3, 1
    first, second = (sample.targets.part_maps for sample in found['data_samples'])
    assert first.maps.shape == (3, 8, 8, 8) and first.maps.dtype == torch.uint8
    for view in (0, 2):
        assert (first.maps[view] == expected).all()
        assert (second.maps[view, :5] == expected).all()
        assert not second.maps[view, 5].any()
    assert (first.maps[1] == 255).all()
    assert first.valid.tolist() == [[True] * 8, [False] * 8, [True] * 8]


def test_probabilities_are_quantised() -> None:
    sample = preprocessor(form='probabilities')(red_and_green(), True)
    maps = sample['data_samples'][0].targets.part_maps.maps
    assert maps.shape == (3, 8, 15, 8, 8)
    assert maps[0, 0, 3, :4, :4].min() == 255 and maps[0, 0, 0, :4, 4:].min() == 255
    assert not maps[1:].any()


def test_the_frames_come_in_calls_of_the_batch_size() -> None:
    made = preprocessor(batch_size=5)
    made(red_and_green(), True)
    assert made.parser.calls == [(5, 3, 32, 32), (3, 3, 32, 32)] * 2


def test_the_pixels_of_the_student_are_the_usual_ones() -> None:
    data = bare_batch()
    plain = MODELS.build({'type': 'mmkd.ClipPreprocessor', 'convention': 'bgr255'})
    found = preprocessor(convention='bgr255')(copy.deepcopy(data), True)
    assert torch.equal(found['inputs'], plain(data, True)['inputs'])


def test_the_parser_is_beside_the_model_not_in_it(tmp_path: Path) -> None:
    model, without = online(), human_prior()
    parser = model.data_preprocessor.parser
    assert model.state_dict().keys() == without.state_dict().keys()
    own = {id(p) for p in parser.parameters()}
    assert len(own) == 2 and not own & {id(p) for p in model.parameters()}
    wrapper = build_optim_wrapper(model, {'optimizer': {'type': 'SGD', 'lr': 0.1}})
    held = {id(p) for g in wrapper.optimizer.param_groups for p in g['params']}
    assert not own & held
    assert not any('parser' in name for name, _ in model.named_modules())
    # It draws nothing from the student's numbers.
    for name, value in without.state_dict().items():
        assert torch.equal(model.state_dict()[name], value), name


def test_a_step_trains_the_student_and_leaves_the_parser() -> None:
    model = online()
    parser = model.data_preprocessor.parser
    before = state_hash(parser.state_dict())
    wrapper = build_optim_wrapper(model, {'optimizer': {'type': 'SGD', 'lr': 0.1}})
    head = model.tasks['parsing'].head.weight.clone()
    log = model.train_step(red_and_green(), wrapper)
    # mask='frames': all cells of a frame that shows a person count.
    assert log['parsing/person'].item() == pytest.approx(1.0)
    assert not torch.equal(model.tasks['parsing'].head.weight, head)
    assert state_hash(parser.state_dict()) == before
    assert not any(p.requires_grad for p in parser.parameters())


def test_it_moves_with_the_model_and_keeps_mode_and_precision() -> None:
    model = online()
    parser = model.data_preprocessor.parser
    model.train().double()
    assert not parser.training
    assert parser.network[0].weight.dtype == torch.float32
    model.to('meta')
    assert parser.network[0].weight.is_meta


def test_autocast_does_not_change_the_teacher() -> None:
    made = preprocessor(form='probabilities')
    data = bare_batch()
    expected = made(copy.deepcopy(data), True)['data_samples'][0].targets.part_maps.maps
    with torch.autocast('cpu', torch.bfloat16):
        found = made(data, True)['data_samples'][0].targets.part_maps.maps
    assert torch.equal(found, expected)


def test_what_does_not_go_together_is_refused() -> None:
    with pytest.raises(UserError, match='NamedParser goes by the name of the video'):
        preprocessor(parser={'type': 'mmkd.NamedParser'})
    with pytest.raises(UserError, match="form='logits'"):
        preprocessor(form='logits')
    with pytest.raises(UserError, match='the pipeline loads part maps and'):
        preprocessor()(raw_batch(2), True)

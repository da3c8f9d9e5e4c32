"""Weights bring their input along, whichever way they are loaded."""

import copy
import logging
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.logging import MMLogger
from mmengine.model import BaseModel
from mmengine.runner.checkpoint import load_checkpoint, load_state_dict
from torch import nn

from mmkd.errors import UserError
from mmkd.evaluation.model import load_whole_model
from mmkd.models import ClipPreprocessor
from mmkd.models.input_adoption import adopt_input, input_of, settle_input
from mmkd.models.input_convention import CONVENTIONS, InputConvention, get_convention
from mmkd.registry import MODELS
from mmkd.weight_files import to_safetensors
from tests.distill.tiny import clips, distiller, recognizer, save, teacher

BGR = get_convention('bgr255').as_dict()


def auto(**changes: Any) -> dict[str, Any]:
    """A recognizer whose input the weights decide."""
    config = recognizer()
    config['data_preprocessor'] |= {'convention': 'auto', **changes}
    return config


def named(name: str = 'bgr255', **changes: Any) -> dict[str, Any]:
    return auto(convention=name, **changes)


def scores(model: BaseModel) -> torch.Tensor:
    with torch.inference_mode():
        found = model.eval().test_step(clips())
    return torch.stack([sample.pred_score for sample in found])


@pytest.fixture
def said() -> Any:
    """The warnings of a logger."""
    lines: list[str] = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore
    logger = MMLogger.get_current_instance()
    logger.addHandler(handler)
    yield lines
    logger.removeHandler(handler)


@pytest.fixture
def trained() -> BaseModel:
    """A network of BGR 0..255, as residual frames."""
    torch.manual_seed(1)
    return MODELS.build(named(residual=True))


def only_meta(model: BaseModel) -> dict[str, Any]:
    state = dict(model.state_dict())  # as safetensors: without metadata
    convention = model.data_preprocessor.convention.as_dict()
    return {'state_dict': state, 'meta': {'input_convention': convention}}


def wrapped(model: BaseModel) -> dict[str, Any]:
    return {'state_dict': nn.ModuleDict({'module': model}).state_dict()}


def compiled(model: BaseModel) -> dict[str, Any]:
    inner = nn.ModuleDict({'_orig_mod': model})
    return {'model': nn.ModuleDict({'module': inner}).state_dict()}


FORMS = {
    'meta': only_meta,
    'metadata': lambda model: {'state_dict': model.state_dict()},
    'bare': lambda model: model.state_dict(),
    'wrapped': wrapped,
}


@pytest.mark.parametrize('form', [*FORMS, 'compiled'])
def test_the_input_is_found_however_the_network_was_wrapped(
    form: str, trained: BaseModel
) -> None:
    content = compiled(trained) if form == 'compiled' else FORMS[form](trained)
    assert input_of(content, 'a file') == trained.data_preprocessor.convention


@pytest.mark.parametrize('form', FORMS)
def test_a_plain_load_feeds_what_the_weights_were_trained_with(
    form: str, trained: BaseModel, tmp_path: Path
) -> None:
    path = tmp_path / 'a.pth'
    torch.save(FORMS[form](trained), path)
    model = MODELS.build(auto(fallback='imagenet'))
    load_checkpoint(model, str(path), map_location='cpu')
    assert model.data_preprocessor.convention == trained.data_preprocessor.convention
    assert torch.equal(scores(model), scores(trained))


def test_safetensors_and_files_of_the_backbone_alone(
    trained: BaseModel, tmp_path: Path
) -> None:
    content = only_meta(trained)
    path = tmp_path / 'a.safetensors'
    path.write_bytes(to_safetensors(content['state_dict'], content['meta']))
    model = MODELS.build(auto())
    load_checkpoint(model, str(path))
    assert torch.equal(scores(model), scores(trained))
    state = content['state_dict']
    content['state_dict'] = {k: v for k, v in state.items() if 'backbone' in k}
    torch.save(content, tmp_path / 'b.pth')
    model = MODELS.build(auto())
    load_checkpoint(model, str(tmp_path / 'b.pth'))
    assert model.data_preprocessor.convention.residual


def test_keys_that_are_revised_on_the_way(trained: BaseModel, tmp_path: Path) -> None:
    content = only_meta(trained)
    state = {f'student.{k}': v for k, v in content['state_dict'].items()}
    torch.save({**content, 'state_dict': state}, tmp_path / 'a.pth')
    model = MODELS.build(auto())
    revise = [(r'^student\.', '')]
    load_checkpoint(model, str(tmp_path / 'a.pth'), revise_keys=revise)
    assert torch.equal(scores(model), scores(trained))


def test_a_state_dict_without_a_file(trained: BaseModel) -> None:
    for load in (load_state_dict, nn.Module.load_state_dict):
        model = MODELS.build(auto())
        load(model, trained.state_dict())
        assert torch.equal(scores(model), scores(trained))
    # An undecided network says nothing, and so decides nothing.
    model = MODELS.build(auto())
    model.load_state_dict(MODELS.build(auto()).state_dict())
    assert model.data_preprocessor.convention is None


@pytest.mark.parametrize('fallback', [None, 'imagenet'])
def test_nothing_is_fed_before_weights_have_said_what(
    fallback: str | None, trained: BaseModel, tmp_path: Path
) -> None:
    model = MODELS.build(auto(fallback=fallback))
    with pytest.raises(UserError, match=r'input of the network is not known.*name it'):
        scores(model)
    torch.save({'state_dict': dict(trained.state_dict())}, tmp_path / 'mute.pth')
    load_checkpoint(model, str(tmp_path / 'mute.pth'))
    with pytest.raises(UserError, match=r'input of the network is not known'):
        scores(model)


def test_another_input_that_the_config_names_is_refused_unless_it_insists(
    trained: BaseModel, tmp_path: Path, said: list[str]
) -> None:
    path = str(tmp_path / 'a.pth')
    torch.save(only_meta(trained), path)
    with pytest.raises(UserError, match=r"a.pth was.*'bgr255'.*feeds 'rgb01'.*insist"):
        load_checkpoint(MODELS.build(named('rgb01')), path)
    # Residual frames are part of it.
    with pytest.raises(UserError, match=r"'bgr255' as residual frames.*'bgr255'\."):
        load_checkpoint(MODELS.build(named('bgr255')), path)
    assert not said
    model = MODELS.build(named('rgb01', insist=True))
    load_checkpoint(model, path)
    load_checkpoint(model, path)
    assert len(said) == 1 and 'bgr255' in said[0] and 'rgb01' in said[0]
    assert model.data_preprocessor.convention == get_convention('rgb01')


def test_the_fallback_is_fed_with_one_line(said: list[str]) -> None:
    model = MODELS.build(auto(fallback='kinetics'))
    adopt_input(model, {'state_dict': {}}, 'checkpoint old.pth')
    assert model.data_preprocessor.convention == get_convention('kinetics')
    assert len(said) == 1
    assert 'old.pth' in said[0] and "fallback of the config is fed, 'kin" in said[0]
    settle_input(model)
    assert len(said) == 1
    with pytest.raises(UserError, match=r'old.pth does not say.*Name one'):
        adopt_input(MODELS.build(auto()), {'state_dict': {}}, 'checkpoint old.pth')
    with pytest.raises(UserError, match='the random start does not say'):
        settle_input(MODELS.build(auto()))


def test_files_that_init_cfg_reads_decide(trained: BaseModel, tmp_path: Path) -> None:
    torch.save(only_meta(trained), tmp_path / 'a.pth')
    config = auto(fallback='imagenet')
    model = MODELS.build(config)
    file = str(tmp_path / 'a.pth')
    model.backbone.init_cfg = {'type': 'Pretrained', 'checkpoint': file}
    settle_input(model)
    assert model.data_preprocessor.convention == trained.data_preprocessor.convention


def test_the_last_weights_count_and_a_copy_keeps_them(trained: BaseModel) -> None:
    model = MODELS.build(auto())
    model.load_state_dict(MODELS.build(named('kinetics')).state_dict())
    assert copy.deepcopy(model).data_preprocessor.convention.name == 'kinetics'
    model.load_state_dict(trained.state_dict())
    assert not dict(model.data_preprocessor.named_buffers())
    assert torch.equal(scores(model), scores(trained))


def test_pixels_of_nobody_we_know(tmp_path: Path) -> None:
    own = {**BGR, 'name': 'own', 'mean': [1, 2, 3], 'std': [4, 5, 6]}
    torch.save({'state_dict': {}, 'meta': {'input_convention': own}}, tmp_path / 'a')
    model = MODELS.build(auto())
    load_checkpoint(model, str(tmp_path / 'a'))
    words = model.data_preprocessor.convention.words()
    twin = MODELS.build(named(words))  # type: ignore[arg-type]
    data = clips()
    assert torch.equal(
        model.data_preprocessor(data)['inputs'], twin.data_preprocessor(data)['inputs']
    )
    assert model.data_preprocessor.mean.flatten().tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    'values',
    [
        'nobodys',
        {'name': 'nobodys'},
        {'channel_order': 'GRB', 'value_range': 1},
        {**BGR, 'std': [1, 0, 1]},
        {**BGR, 'mean': [1, float('nan'), 1]},
        {**BGR, 'mean': [1]},
        {**BGR, 'gamma': 2},
        7,
        [1],
    ],
)
def test_an_entry_that_is_not_understood_is_one_line(values: Any) -> None:
    content = {'meta': {'input_convention': values}, 'state_dict': OrderedDict()}
    with pytest.raises(UserError, match='convention'):
        input_of(content, 'checkpoint odd.pth')


@pytest.mark.parametrize('name', CONVENTIONS)
def test_words_say_it_again(name: str) -> None:
    for residual in (False, True):
        declared = ClipPreprocessor(name, residual=residual).convention
        assert declared is not None
        assert InputConvention.from_dict(declared.as_dict(), 'x') == declared
        again = ClipPreprocessor(declared.words(), residual=declared.residual)
        assert again.convention == declared


def test_auto_cannot_insist() -> None:
    with pytest.raises(UserError, match='cannot insist'):
        ClipPreprocessor(insist=True)


def test_a_distilled_students_weights_bring_the_students_input(tmp_path: Path) -> None:
    rgb = teacher(recognizer(width=2, convention='rgb01'))
    model = distiller(student=named('kinetics'), teacher=rgb)
    assert 'teacher_inputs' in model.data_preprocessor(clips(), True)
    torch.save({'state_dict': model.state_dict()}, tmp_path / 'a.pth')
    bare = MODELS.build(auto())
    load_checkpoint(bare, str(tmp_path / 'a.pth'))
    assert bare.data_preprocessor.convention.name == 'kinetics'
    # And the other way round: the teacher keeps its own.
    back = distiller(student=auto(), teacher=rgb)
    load_checkpoint(back, str(tmp_path / 'a.pth'))
    assert back.data_preprocessor.convention.name == 'kinetics'
    assert back.teacher.model.data_preprocessor.convention.name == 'rgb01'


def test_teachers_are_fed_what_their_weights_want(tmp_path: Path) -> None:
    path = save(
        tmp_path / 'a.pth', recognizer(convention='bgr255'), input_convention=BGR
    )
    model = distiller(
        student=auto(), teacher=teacher(auto(fallback='imagenet'), checkpoint=path)
    )
    assert model.teacher.model.data_preprocessor.convention.name == 'bgr255'
    with pytest.raises(UserError, match='not known'):
        model.data_preprocessor(clips(), True)
    adopt_input(model, {'meta': {'input_convention': BGR}}, 'x')
    # Of one input they share a batch.
    assert 'teacher_inputs' not in model.data_preprocessor(clips(), True)
    other = {'meta': {'input_convention': get_convention('rgb01').as_dict()}}
    adopt_input(model, other, 'x')
    batch = model.data_preprocessor(clips(), True)
    raw = torch.stack(clips()['inputs']).float()
    assert torch.equal(batch['teacher_inputs'], raw[:, :, [2, 1, 0]])
    assert torch.allclose(batch['inputs'], raw / 255)
    with pytest.raises(UserError, match='insist'):
        distiller(teacher=teacher(recognizer(), checkpoint=path))
    insisting = teacher(named('imagenet', insist=True), checkpoint=path)
    assert distiller(teacher=insisting).teacher is not None


def test_mixed_clips_of_an_undecided_student_are_refused_at_the_first_step() -> None:
    mixing = {'type': 'MixupBlending', 'num_classes': 3}
    rgb = teacher(recognizer(width=2, convention='rgb01'))
    model = distiller(student=auto(blending=mixing), teacher=rgb)
    adopt_input(model, {'meta': {'input_convention': BGR}}, 'x')
    with pytest.raises(UserError, match='mixes clips'):
        model.data_preprocessor(clips(), True)


def test_a_whole_model_of_ours(trained: BaseModel, tmp_path: Path) -> None:
    from mmengine.config import Config

    path = str(tmp_path / 'a.pth')
    torch.save(only_meta(trained), path)
    right = load_whole_model(Config({'model': auto()}), path).cpu()
    assert torch.equal(scores(right), scores(trained))
    wrong = Config({'model': named('imagenet')})
    with pytest.raises(UserError, match='insist'):
        load_whole_model(wrong, path)
    taken = load_whole_model(wrong, path, pixels='weights').cpu()
    assert torch.equal(scores(taken), scores(trained))
    kept = load_whole_model(wrong, path, pixels='config')
    assert kept.data_preprocessor.convention.name == 'imagenet'
    assert wrong.model.data_preprocessor.convention == 'imagenet'

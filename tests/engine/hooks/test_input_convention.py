from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.config import Config

from mmkd.engine.hooks import EpochTeacherHook, InputConventionHook, LoadReportHook
from mmkd.errors import UserError
from mmkd.models.input_convention import get_convention
from mmkd.registry import MODELS
from tests.distill.tiny import pretrainer, recognizer, save
from tests.engine.hooks.tiny_runner import tiny_runner
from tests.engine.toy import ToyNet, toy_runner


def runner_with(folder, name, **options):
    model = ToyNet()
    if name:
        model.data_preprocessor.convention = get_convention(name)
    return toy_runner(
        folder, model=model, custom_hooks=[InputConventionHook()], **options
    )


def saved(folder, name):
    runner_with(folder, name, epochs=1).train()
    return folder / 'epoch_1.pth'


def test_the_convention_is_in_the_meta_as_plain_data(tmp_path):
    checkpoint = torch.load(saved(tmp_path, 'imagenet'), weights_only=True)
    assert checkpoint['meta']['input_convention'] == {
        'name': 'imagenet',
        'channel_order': 'RGB',
        'value_range': 1,
        'mean': [0.485, 0.456, 0.406],
        'std': [0.229, 0.224, 0.225],
    }


def test_another_convention_gets_one_warning_with_both_names(tmp_path, capsys):
    path = str(saved(tmp_path, 'bgr255'))
    runner = runner_with(tmp_path, 'rgb01', load_from=path)
    capsys.readouterr()
    runner.load_or_resume()
    lines = [x for x in capsys.readouterr().out.splitlines() if 'input convention' in x]
    assert len(lines) == 1 and 'WARNING' in lines[0]
    assert lines[0].index('bgr255') < lines[0].index('rgb01')


def test_silence_where_there_is_nothing_to_say(tmp_path, capsys):
    path = str(saved(tmp_path, 'bgr255'))
    for name, options in (
        ('bgr255', {}),  # the same
        (None, {}),  # the model has none
        ('rgb01', {'resume': True}),  # not a load
    ):
        runner = runner_with(tmp_path, name, load_from=path, **options)
        if options:
            runner._train_loop = runner.build_train_loop(runner._train_loop)
            runner.optim_wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
        runner.load_or_resume()
    plain = saved(tmp_path / 'plain', None)
    assert 'input_convention' not in torch.load(plain, weights_only=True)['meta']
    runner_with(tmp_path, 'rgb01', load_from=str(plain)).load_or_resume()
    assert 'input convention' not in capsys.readouterr().out


BGR = get_convention('bgr255').as_dict()


def auto(**changes: Any) -> dict[str, Any]:
    config = recognizer(dropout=0.0)
    config['data_preprocessor'] |= {'convention': 'auto', **changes}
    return config


def trained(
    folder: Path, model: dict[str, Any], *more: Any, name: str = 'run', **options: Any
) -> Any:
    """A runner after one epoch, with the hooks of every config."""
    hooks = [InputConventionHook(), LoadReportHook(), *more]
    runner = tiny_runner(
        folder / name,
        *hooks,
        epochs=options.pop('epochs', 1),
        model=MODELS.build(model),
        cfg=Config({'model': model, 'work_dir': str(folder / name)}),
        **options,
    )
    runner.train()
    return runner


def meta_of(path: Path) -> dict[str, Any]:
    return torch.load(path, weights_only=True)['meta']


def dumped(folder: Path) -> list[dict[str, Any]]:
    """The configs that a run left."""
    return [
        Config.fromfile(path).model.data_preprocessor.to_dict()
        for path in folder.rglob('*.py')
    ]


def test_a_run_adopts_the_input_and_says_it_in_words(tmp_path: Path) -> None:
    start = save(tmp_path / 'a.pth', recognizer(), input_convention=BGR)
    trained(tmp_path, auto(fallback='imagenet'), load_from=start)
    assert meta_of(tmp_path / 'run/epoch_1.pth')['input_convention'] == BGR
    left = dumped(tmp_path / 'run')
    assert left
    for node in left:
        assert node['convention'] == 'bgr255' and node['residual'] is False
        assert 'fallback' not in node
    # Its own config needs no more, and a second hop keeps the input.
    first = str(tmp_path / 'run/epoch_1.pth')
    again = {**auto(), 'data_preprocessor': left[0]}
    trained(tmp_path, again, name='again', load_from=first)
    trained(tmp_path, auto(fallback='rgb01'), name='hop', load_from=first)
    assert meta_of(tmp_path / 'hop/epoch_1.pth')['input_convention'] == BGR


def test_from_scratch_the_fallback_is_named_and_without_one_nothing_runs(
    tmp_path: Path,
) -> None:
    trained(tmp_path, auto(fallback='rgb01'))
    assert meta_of(tmp_path / 'run/epoch_1.pth')['input_convention']['name'] == 'rgb01'
    with pytest.raises(UserError, match='the random start does not say'):
        trained(tmp_path, auto(), name='none')
    assert not list(tmp_path.glob('none/*.pth'))


def test_a_resumed_run_keeps_its_input(tmp_path: Path) -> None:
    start = save(tmp_path / 'a.pth', recognizer(), input_convention=BGR)
    trained(tmp_path, auto(fallback='imagenet'), load_from=start)
    last = str(tmp_path / 'run/epoch_1.pth')
    going_on = {'load_from': last, 'resume': True, 'epochs': 2, 'name': 'on'}
    runner = trained(tmp_path, auto(fallback='imagenet'), **going_on)
    assert runner.model.data_preprocessor.convention.name == 'bgr255'
    assert meta_of(tmp_path / 'on/epoch_2.pth')['input_convention'] == BGR


def test_fine_tuning_on_what_the_config_names_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    start = save(tmp_path / 'a.pth', recognizer(), input_convention=BGR)
    content = torch.load(start, weights_only=True)
    ema = {'type': 'EMAHook'}  # it loads the checkpoint into a copy of its own
    capsys.readouterr()
    trained(tmp_path, recognizer(dropout=0.0), ema, load_from=start)
    lines = [x for x in capsys.readouterr().out.splitlines() if 'input convention' in x]
    assert len(lines) == 1 and "'bgr255'" in lines[0] and "'imagenet'" in lines[0]
    saved = meta_of(tmp_path / 'run/epoch_1.pth')
    assert saved['input_convention']['name'] == 'imagenet'
    assert content['meta']['input_convention'] == BGR


def test_a_further_phase_takes_the_input_of_the_weights_or_is_refused(
    tmp_path: Path,
) -> None:
    config = pretrainer()
    torch.manual_seed(0)
    model = MODELS.build(config)
    path = str(tmp_path / 'a.pth')
    torch.save(
        {'state_dict': model.state_dict(), 'meta': {'input_convention': BGR}}, path
    )
    options = {'load_from': path, 'name': 'phase'}
    with pytest.raises(UserError, match=r"'bgr255', its config feeds 'imagenet'"):
        trained(tmp_path, config, **options)


def test_the_epoch_teachers_first_teacher_is_fed_its_own_input(tmp_path: Path) -> None:
    start = save(tmp_path / 'a.pth', recognizer(), input_convention=BGR)
    named = recognizer(dropout=0.0)
    with pytest.raises(UserError, match=r'the first teacher, checkpoint .*a.pth'):
        trained(tmp_path, named, EpochTeacherHook(), load_from=start, name='no')
    assert not list(tmp_path.glob('no/*.pth'))
    named['data_preprocessor']['insist'] = True
    trained(tmp_path, named, EpochTeacherHook(), load_from=start, name='insists')
    runner = trained(tmp_path, auto(), EpochTeacherHook(), load_from=start)
    assert runner.model.data_preprocessor.convention.name == 'bgr255'

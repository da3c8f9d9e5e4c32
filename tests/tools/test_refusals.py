"""Whatever a user gets wrong ends in one line ``error: ...`` and a non-zero status."""

import importlib.util
import os
import shutil
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType

import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.logging import MMLogger

from mmkd.commands.benchmark.command_line import main as benchmark_main
from mmkd.commands.evaluate import main as evaluate_main
from mmkd.commands.report.command_line import main as report_main
from mmkd.commands.zoo import main as zoo_main
from mmkd.engine.command_line import test_main as evaluate_weights_main
from mmkd.engine.command_line import train_main
from tests.tools.toy_project import ROOT, make_project

CONFIG = 'configs/toy/tiny.py'
LIST = 'data/list.txt'

# Each is a whole config, or what is added to the toy one.
BROKEN_CONFIGS = {
    'syntax.py': 'model = dict(',
    'no_base.py': "_base_ = './none.py'",
    'raises.py': 'model = 1 / 0',
    'imports.py': "custom_imports = dict(imports=['no_such_module'])",
    'empty.py': '',
    'words.txt': 'model',
}


def both(dataset: str) -> str:
    """Return what changes the data set of training and test."""
    names = ('train_dataloader', 'test_dataloader')
    return '\n'.join(f'{name} = dict(dataset=dict({dataset}))' for name in names)


CHANGES = {
    'typo.py': "load_form = 'a.pth'",
    'argument.py': 'model = dict(backbone=dict(dept=18))',
    'model_type.py': "model = dict(type='Recogniser3D')",
    'hook_type.py': "custom_hooks = [dict(type='mmkd.StopHok')]",
    'unknown_hook.py': "custom_hooks = [dict(type='Nonsense')]",
    'optimizer.py': 'optim_wrapper = dict(optimizer=dict(moment=0))',
    'scheduler.py': "param_scheduler = [dict(type='MultiStepLR', milestone=[1])]",
    'transform.py': both("pipeline=[dict(type='Flp')]"),
    'missing_list.py': both("ann_file='no.txt'"),
    'empty_list.py': both("ann_file='data/empty.txt'"),
    'folder_list.py': both("ann_file='data/videos'"),
    'missing_videos.py': both("data_prefix=dict(video='no')"),
    'balanced.py': both(
        "_delete_=True, type='ClassBalancedDataset', oversample_thr=0.1, "
        'dataset=_base_.dataset'
    ),
}


@pytest.fixture(scope='module')
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A toy project with a checkpoint, and everything that may be wrong."""
    folder = tmp_path_factory.mktemp('project')
    make_project(folder)
    before = Path.cwd()
    os.chdir(folder)
    try:
        cfg = Config.fromfile(CONFIG)
    finally:
        os.chdir(before)
    weights = MODELS.build(cfg.model).state_dict()
    torch.save({'state_dict': weights, 'meta': {}}, folder / 'right.pth')
    for name, text in BROKEN_CONFIGS.items():
        (folder / name).write_text(text)
    for name, text in CHANGES.items():
        (folder / name).write_text(f"_base_ = '{CONFIG}'\n{text}\n")
    (folder / 'data/empty.txt').touch()
    (folder / 'binary.py').write_bytes(bytes(range(256)))
    (folder / 'binary.pth').write_bytes(bytes(range(256)))
    (folder / 'empty.pth').touch()
    (folder / 'words.json').write_text('{')
    (folder / 'a_file').touch()
    (folder / 'no_list.py').write_text("stages = dict(a=dict(config='none.py'))")
    (folder / 'option.py').write_text(
        f"stages = dict(a=dict(config='{CONFIG}', options={{'load_form': 'x'}}))"
    )
    return folder


@pytest.fixture(autouse=True)
def in_the_project(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)
    # A logger of another test writes to what was its console.
    monkeypatch.setattr(MMLogger, '_instance_dict', OrderedDict())
    monkeypatch.setenv('LOCAL_RANK', '0')


def tool(name: str) -> ModuleType:
    """Import a program of ``tools``."""
    path = ROOT / 'tools' / f'{name}.py'
    spec = importlib.util.spec_from_file_location(f'tool_{path.stem}', path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def refused(
    main: Callable[[Sequence[str]], object],
    arguments: Sequence[str],
    capsys: pytest.CaptureFixture[str],
) -> str:
    """Call a program and return its one line."""
    with pytest.raises(SystemExit) as caught:
        main(list(arguments))
    error = capsys.readouterr().err
    assert caught.value.code not in (0, None)
    assert error.startswith('error: ') and error.count('\n') == 1, error
    return error


BOTH = [*BROKEN_CONFIGS, *CHANGES, 'binary.py', 'data', 'none.py', 'mmkd::tiny/none.py']
OPTIONS = [
    'foo',
    '=1',
    'a..b=1',
    'key=[1,(2',
    'load_form=a.pth',
    'model.bakbone.depth=18',
    'model.backbone.dept=18',
    'test_dataloader.dataset.pipeline.99.type=Flip',
    'test_dataloader.dataset.pipeline.x.type=Flip',
    'test_dataloader.dataset.pipeline.3.scale.0=8',
    'default_hooks.checkpont.interval=1',
    'test_evaluator.metric_lits=top_k_accuracy',
    'randomness.sed=1',
    'test_dataloader.batch_size=0',
    'test_dataloader.batch_size=-1',
    'test_dataloader.batch_size=a',
    'test_dataloader.num_workers=-1',
    'test_dataloader.dataset.ann_file=no.txt',
    'model.type=Recogniser3D',
    'model.cls_head.num_classes=a',
    'model=3',
    'model.cls_head=3',
    'test_dataloader=a',
    'test_dataloader.dataset=3',
    'default_hooks=3',
]
TRAINING = [
    'optim_wrapper.optimizer.lr=a',
    'optim_wrapper.optimizer.lr=-1',
    'optim_wrapper.optimizer.momentun=0.9',
    'optim_wrapper.clip_grad.max_nrom=1',
    'train_cfg.max_epochs=a',
    'train_cfg.max_epoch=1',
    'train_cfg.max_epochs=0',
    'train_cfg.val_interval=0',
    'train_cfg=3',
    'optim_wrapper=3',
    'train_dataloader.batch_size=0',
    'train_dataloader.num_workers=-1',
    'load_from=none.pth',
    'load_from=data',
    'load_from=binary.pth',
    'work_dir=a_file/x',
]
# Of transforms, which find out at a sample.
AT_A_SAMPLE = [
    '1.clip_len=0',
    '1.clip_len=a',
    '1.clip_len=2.5',
    '1.num_clips=0',
    '1.frame_interval=a',
    '1.out_of_bound_opt=x',
    '3.scale=[0,0]',
    '3.scale=a',
    '3.interpolation=x',
    '4.input_format=x',
    '5.collect_keys=[x]',
]
TRANSFORMS = {
    'RandomCrop.size': ('RandomCrop', 'size=99'),
    'RandomCrop.text': ('RandomCrop', "size='a'"),
    'CenterCrop': ('CenterCrop', "crop_size='a'"),
    'Flip': ('Flip', "flip_ratio='a'"),
    'RandomResizedCrop': ('RandomResizedCrop', "area_range=('a', 1)"),
    'PerView': ('mmkd.PerView', "transforms=[dict(type='RandomCrop', size=99)]"),
    'PerView.groups': ('mmkd.PerView', 'groups=((0,), (7,)), transforms=[]'),
    'GaussianBlur': ('mmkd.GaussianBlur', "sigma=('a', 1)"),
}
CHECKPOINTS = ['none.pth', 'data', 'binary.pth', 'empty.pth', 'data/list.txt']


@pytest.mark.parametrize('config', BOTH)
def test_train_and_a_config(
    config: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    refused(train_main, [config, '--work-dir', str(tmp_path)], capsys)


@pytest.mark.parametrize('option', OPTIONS + TRAINING)
def test_train_and_an_option(
    option: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    if option.startswith('test_'):
        option = f'train_{option.removeprefix("test_")}'.replace('train_ev', 'test_ev')
    options = [CONFIG, '--work-dir', str(tmp_path), '--cfg-options', option]
    refused(train_main, options, capsys)


@pytest.mark.parametrize('workers', [0, 1])
@pytest.mark.parametrize('option', AT_A_SAMPLE)
def test_train_and_what_shows_at_a_sample(
    option: str, workers: int, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    if workers and option not in AT_A_SAMPLE[::4]:
        pytest.skip('one kind each is enough')
    pipeline = f'train_dataloader.dataset.pipeline.{option}'
    options = [pipeline, f'train_dataloader.num_workers={workers}']
    arguments = [CONFIG, '--work-dir', str(tmp_path), '--cfg-options', *options]
    error = refused(train_main, arguments, capsys)
    assert len(error) < 500 and 'in a row' not in error, error


@pytest.mark.parametrize('name', TRANSFORMS)
def test_train_and_a_transform(
    name: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    kind, arguments = TRANSFORMS[name]
    (tmp_path / 'a.py').write_text(
        f"_base_ = '{Path(CONFIG).resolve()}'\n"
        f'step = dict(type={kind!r}, {arguments})\n'
        'train_dataloader = dict(dataset=dict(pipeline=[\n'
        '    *_base_.pipeline[:4], step, *_base_.pipeline[4:]]))\n'
    )
    out = str(tmp_path / 'out')
    error = refused(train_main, [str(tmp_path / 'a.py'), '--work-dir', out], capsys)
    assert name.partition('.')[0] in error or 'RandomCrop' in error


def test_evaluate_and_what_shows_at_a_sample(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    option = 'test_dataloader.dataset.pipeline.3.interpolation=x'
    arguments = [CONFIG, 'random', '--work-dir', str(tmp_path), '--cfg-options', option]
    assert 'Resize' in refused(evaluate_main, arguments, capsys)


@pytest.mark.parametrize(
    'arguments',
    [
        [],
        [CONFIG, '--nonsense'],
        [CONFIG, '--seed', 'a'],
        [CONFIG, '--split', 'a'],
        [CONFIG, '--split', '0'],
        [CONFIG, '--split', '2'],
        [CONFIG, '--resume', 'none.pth'],
        [CONFIG, '--launcher', 'nonsense'],
        [CONFIG, '--work-dir', 'a_file'],
        [CONFIG, '--auto-scale-lr'],
    ],
)
def test_train_and_its_arguments(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    refused(train_main, arguments, capsys)


@pytest.mark.parametrize('config', BOTH)
def test_test_and_a_config(
    config: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    options = [config, 'right.pth', '--work-dir', str(tmp_path)]
    refused(evaluate_weights_main, options, capsys)


@pytest.mark.parametrize('option', [*OPTIONS, 'test_cfg.fp16=True', 'test_cfg.fp=1'])
def test_test_and_an_option(
    option: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    options = [CONFIG, 'right.pth', '--work-dir', str(tmp_path)]
    refused(evaluate_weights_main, [*options, '--cfg-options', option], capsys)


@pytest.mark.parametrize('checkpoint', CHECKPOINTS)
@pytest.mark.parametrize('program', ['test', 'evaluate', 'export', 'publish'])
def test_a_checkpoint(
    program: str, checkpoint: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    if program == 'test':
        main = evaluate_weights_main
        arguments = [CONFIG, checkpoint, '--work-dir', str(tmp_path)]
    elif program == 'evaluate':
        main = evaluate_main
        arguments = [CONFIG, checkpoint, '--work-dir', str(tmp_path)]
    elif program == 'export':
        main = tool('export').main
        arguments = [CONFIG, checkpoint, str(tmp_path / 'out.pth')]
    else:
        main = zoo_main
        arguments = ['publish', checkpoint, '--name', 'a', '--config', CONFIG]
    refused(main, arguments, capsys)


@pytest.mark.parametrize('config', BOTH)
def test_evaluate_and_a_config(
    config: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    if config == 'unknown_hook.py':
        pytest.skip('runs no hook')
    refused(evaluate_main, [config, 'random', '--work-dir', str(tmp_path)], capsys)


@pytest.mark.parametrize(
    'arguments',
    [
        ['--split', '2'],
        ['--split', '0'],
        ['--data', 'nonsense'],
        ['--data', 'empty.py'],
        ['--data', 'hmdb51', '--split', '4'],
        ['--k', '0'],
        ['--protocols', 'nonsense'],
        ['--cfg-options', 'foo'],
        ['--cfg-options', 'load_form=a.pth'],
        ['--cfg-options', 'test_dataloader.dataset.multi_class=True'],
        ['--work-dir', 'a_file'],
    ],
)
def test_evaluate_and_its_arguments(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    refused(evaluate_main, [CONFIG, 'random', *arguments], capsys)


OTHERS = [
    ('export', ['none.py', 'right.pth', 'out.pth']),
    ('export', ['syntax.py', 'right.pth', 'out.pth']),
    ('export', ['empty.py', 'right.pth', 'out.pth']),
    ('export', ['mmkd::none.py', 'right.pth', 'out.pth']),
    ('export', [CONFIG, 'right.pth', 'a_file/out.pth']),
    ('export', [CONFIG, 'right.pth', 'out.pth', '--format', 'nonsense']),
    ('export', [CONFIG, 'right.pth', 'out.pth', '--clip', '0', '1', '1']),
    ('convert_checkpoint', ['nonsense', 'right.pth', 'out.pth']),
    ('convert_checkpoint', ['auto', 'none.pth', 'out.pth']),
    ('convert_checkpoint', ['auto', 'data', 'out.pth']),
    ('convert_checkpoint', ['auto', 'binary.pth', 'out.pth']),
    ('convert_checkpoint', ['auto', 'empty.pth', 'out.pth']),
    ('pipeline', ['none.py']),
    ('pipeline', ['syntax.py']),
    ('pipeline', ['no_list.py']),
    ('pipeline', ['empty.py']),
    ('pipeline', ['option.py']),
    ('pipeline', ['mmkd::pipelines/none.py']),
    ('pipeline', [CONFIG]),
    ('pipeline', ['option.py', '--processes', 'a']),
    ('reproduce', ['nonsense']),
    ('reproduce', ['--jobs', '0']),
    ('data/prepare', ['ucf101', '--annotations', 'none']),
    ('data/prepare', ['ucf101', '--annotations', LIST]),
    ('data/prepare', ['hmdb51', '--annotations', 'none']),
    ('data/prepare', ['kinetics100', '--list', 'none.txt']),
    ('data/prepare', ['kinetics400', '--train-csv', 'none.csv']),
    ('data/prepare', ['ut_interaction', '--videos', 'none']),
    ('data/prepare', ['nonsense']),
    ('data/prepare', ['synthetic', '--size', '0']),
    ('data/prepare', ['synthetic', '--out', 'a_file/x', '--unlabelled', '0']),
    ('data/pack', ['none.txt', 'out', '--prefix', 'data/videos']),
    ('data/pack', ['data', 'out', '--prefix', 'data/videos']),
    ('data/pack', ['data/empty.txt', 'out', '--prefix', 'data/videos']),
    ('data/pack', [LIST, 'out', '--prefix', 'none']),
    ('data/pack', [LIST, 'a_file/out', '--prefix', 'data/videos']),
    ('data/pack', [LIST, 'out', '--prefix', 'data/videos', '--short-side', '0']),
    ('data/pack', [LIST, 'out', '--prefix', 'data/videos', '--workers', '0']),
    ('data/transcode', ['none.txt', 'out', '--prefix', 'data/videos']),
    ('data/transcode', ['data', 'out', '--prefix', 'data/videos']),
    ('data/transcode', ['data/empty.txt', 'out', '--prefix', 'data/videos']),
    ('data/transcode', [LIST, 'out', '--prefix', 'none']),
    ('data/transcode', [LIST, 'a_file/out', '--prefix', 'data/videos']),
    ('data/transcode', [LIST, 'out', '--prefix', 'data/videos', '--gop', '0']),
    ('data/check_videos', ['none.txt', '--prefix', 'data/videos']),
    ('data/check_videos', ['data', '--prefix', 'data/videos']),
    ('data/check_videos', ['data/empty.txt', '--prefix', 'data/videos']),
    ('data/check_videos', [LIST, '--prefix', 'none']),
    ('data/check_videos', [LIST, '--prefix', LIST]),
    ('data/check_videos', [LIST, '--prefix', 'data/videos', '--workers', '0']),
    ('teacher/extract', ['none.py', LIST, 'out']),
    ('teacher/extract', [CONFIG, 'none.txt', 'out']),
    ('teacher/extract', [CONFIG, 'data', 'out']),
    ('teacher/extract', [CONFIG, LIST, 'out']),
    ('teacher/extract', ['syntax.py', LIST, 'out']),
    ('data/view_samples', ['none.py', 'out.png']),
    ('data/view_samples', [CONFIG, 'out.gif']),
    ('teacher/view_maps', ['none.py', 'out.png']),
    ('teacher/view_maps', [CONFIG, 'out.png']),
    ('teacher/view_maps', [CONFIG, 'out.gif']),
    ('networks', ['nonsense']),
]


@pytest.mark.parametrize(('name', 'arguments'), OTHERS, ids=lambda x: str(x)[:70])
def test_another_tool(
    name: str, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    def main(argv: Sequence[str]) -> None:
        status = tool(name).main(list(argv))
        raise SystemExit(status)

    shutil.rmtree('out', ignore_errors=True)
    refused(main, arguments, capsys)
    assert not Path('out').exists() and not Path('out.pth').exists()


@pytest.mark.parametrize(
    ('main', 'arguments'),
    [
        (benchmark_main, ['step', 'none.py']),
        (benchmark_main, ['step', 'syntax.py']),
        (benchmark_main, ['step', CONFIG, '--batch-size', '0']),
        (benchmark_main, ['step', CONFIG, '--cfg-options', 'foo']),
        (benchmark_main, ['step', CONFIG, '--cfg-options', 'load_form=a']),
        (benchmark_main, ['step', CONFIG, '--split', '2']),
        (benchmark_main, ['loader', 'missing_list.py']),
        (benchmark_main, ['loader', CONFIG, '--json', 'a_file/x', '--samples', '0']),
        (benchmark_main, ['nonsense']),
        (report_main, ['none', 'out.html']),
        (report_main, ['data', 'out.txt']),
        (report_main, ['out.html']),
        (report_main, ['data', 'out.html', '--config', 'none.py']),
        (report_main, ['data', 'out.html', '--config', 'syntax.py']),
        (report_main, ['data', 'out.html', '--data', 'nonsense']),
        (report_main, ['data', 'out.html', '--reports', 'none.json']),
        (report_main, ['data', 'out.html', '--reports', 'words.json']),
        (zoo_main, []),
        (zoo_main, ['show', 'nonsense']),
        (zoo_main, ['download', 'nonsense']),
        (zoo_main, ['verify', 'nonsense']),
        (zoo_main, ['list', 'nonsense']),
        (zoo_main, ['publish', 'right.pth', '--name', 'a', '--config', 'none.py']),
    ],
    ids=lambda x: x.__module__ if callable(x) else ' '.join(x)[:70],
)
def test_a_tool_with_commands(
    main: Callable[[Sequence[str]], object],
    arguments: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    refused(main, arguments, capsys)


@pytest.mark.skipif(os.geteuid() == 0, reason='root may read and write everything')
@pytest.mark.parametrize('program', ['train', 'export'])
def test_what_is_protected(
    program: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    folder = tmp_path / 'protected'
    folder.mkdir()
    shutil.copy('right.pth', folder)
    folder.chmod(0o500)
    if program == 'train':
        refused(train_main, [CONFIG, '--work-dir', str(folder / 'x')], capsys)
    else:
        main = tool('export').main
        refused(main, [CONFIG, 'right.pth', str(folder / 'x.pth')], capsys)


def test_who_writes_a_method_sees_the_trace_back(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('MMKD_TRACEBACK', '1')
    with pytest.raises(SystemExit):
        train_main(['raises.py'])
    error = capsys.readouterr().err
    assert 'ZeroDivisionError' in error and 'Traceback' in error
    assert error.splitlines()[-1].startswith('error: config raises.py cannot be read')

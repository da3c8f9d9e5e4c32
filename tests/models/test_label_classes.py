"""The sampler says how many classes a label has, and the heads go by it."""

import re
from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest
import torch
from mmaction.apis import init_recognizer
from mmaction.registry import DATASETS
from mmengine.config import Config
from mmengine.runner import Runner
from torch import nn
from torch.utils.data import Subset

from mmkd.commands.benchmark import command_line
from mmkd.config_files import read_config
from mmkd.distill.teachers.frozen import model_config
from mmkd.engine.command_line import train_main
from mmkd.errors import UserError
from mmkd.evaluation.model import load_whole_model
from mmkd.models.label_classes import check_classes, fill_in_classes
from mmkd.models.tasks import PretextTask, ViewClassification
from mmkd.registry import MODELS
from mmkd.zoo.compatibility import mismatches
from mmkd.zoo.export import load_clip_network
from tests.engine.micro_runs import VIDEOS, load, micro_config, run, write_videos
from tests.shared_files import ROOT
from tests.tools.toy_project import run_tool

PART = 'backbone.conv1.conv.weight'
TINY = ROOT / 'configs/tiny'
# What the heads are where a config says nothing else.
USUAL = {
    'pace': {'pace': {'pace': 4}},
    'vspp': {'vspp': {'speed': 4, 'segment': 4}},
    'vcop': {'order': {'order': 6}},
    'rotation': {'rotation': {'rotation': 4}},
    'pcl_vcp': {'vcp': {'transform': 5}, 'contrast': {}},
    'pcl_vcop': {'order': {'order': 6}, 'contrast': {}},
    'pcl_rotnet': {'rotation': {'rotation': 4}, 'contrast': {}},
    'pcl_kd': {'vcp': {'transform': 5}, 'contrast': {}},
    'auxskd': {'skd': {}},
    'rspnet': {'avid': {}, 'rsp': {}},
}
# Another number of classes, from the side of the sampler.
CHANGED = {
    'pace': ({'paces': [1, 2, 3, 4, 5]}, 'pace', {'pace': 5}),
    'vspp': (
        {'speeds': [1, 2, 3], 'num_segments': 8},
        'vspp',
        {'speed': 3, 'segment': 8},
    ),
    'vcop': ({'num_clips': 4, 'clip_len': 4, 'gap': 1}, 'order', {'order': 24}),
}


@pytest.fixture(scope='module')
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp('videos')
    write_videos(folder)
    return folder


@pytest.fixture(autouse=True)
def inside(videos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(videos)


def tiny(method: str, **views: Any) -> Config:
    cfg = read_config(TINY / f'{method}_r3d_synthetic.py')
    cfg.train_dataloader.dataset.views.update(views)
    return cfg


def micro(method: str, work_dir: Path, **views: Any) -> Config:
    cfg = micro_config(TINY / f'{method}_r3d_synthetic.py', work_dir)
    cfg.train_dataloader.dataset.views.update(views)
    cfg.train_cfg.max_epochs = 1
    return cfg


def heads(model: nn.Module) -> dict[str, dict[str, int]]:
    named = model.named_modules()
    return {
        name.rpartition('.')[2]: dict(task.classes)
        for name, task in named
        if isinstance(task, PretextTask)
    }


def build(cfg: Config) -> nn.Module:
    model = cfg.model.to_dict()
    if model['type'] == 'mmkd.Distiller':
        model['teacher'] = None
    return MODELS.build(model)


@pytest.mark.parametrize('method', USUAL)
def test_the_usual_heads_of_every_method(method: str) -> None:
    cfg = tiny(method)
    bare = build(cfg)
    fill_in_classes(cfg)
    filled = build(cfg)
    assert heads(filled) == heads(bare) == USUAL[method]
    assert {k: v.shape for k, v in filled.state_dict().items()} == {
        k: v.shape for k, v in bare.state_dict().items()
    }
    check_classes(filled, DATASETS.build(cfg.train_dataloader.dataset))


@pytest.mark.parametrize('method', CHANGED)
def test_heads_go_by_the_sampler(method: str) -> None:
    views, task, classes = CHANGED[method]
    cfg = tiny(method, **views)
    dataset = DATASETS.build(cfg.train_dataloader.dataset)
    with pytest.raises(UserError, match=r'tells \d+ classes of the label'):
        check_classes(build(cfg), dataset)
    fill_in_classes(cfg)
    model = build(cfg)
    assert heads(model)[task] == classes
    check_classes(nn.DataParallel(model), dataset)
    # The labels that are drawn need the largest class, and no other.
    labels = [dataset[i % VIDEOS]['data_samples'].view_labels for i in range(80)]
    for label, number in classes.items():
        drawn = torch.stack([one.get(label) for one in labels]).max()
        assert number - 3 <= drawn < number


@pytest.mark.parametrize('method', CHANGED)
def test_the_written_config_needs_no_data(method: str, tmp_path: Path) -> None:
    views, task, classes = CHANGED[method]
    cfg = tiny(method, **views)
    fill_in_classes(cfg)
    cfg.dump(tmp_path / 'written.py')
    again = Config.fromfile(tmp_path / 'written.py')
    del again._cfg_dict['train_dataloader']
    assert heads(build(again))[task] == classes


def wrapped(cfg: Config, kind: str) -> None:
    dataset = cfg.train_dataloader.dataset.to_dict()
    if kind == 'repeat':
        cfg.train_dataloader.dataset = {
            'type': 'RepeatDataset',
            'times': 2,
            'dataset': dataset,
        }
    elif kind == 'concat':
        cfg.train_dataloader.dataset = {
            'type': 'ConcatDataset',
            'datasets': [dataset, dataset],
        }
    else:
        student = cfg.model.to_dict()
        cfg.model = {
            'type': 'mmkd.Distiller',
            'student': student,
            'teacher': None,
            'terms': {},
        }


@pytest.mark.parametrize('kind', ['repeat', 'concat', 'student'])
def test_inside_of_wrappers(kind: str) -> None:
    cfg = tiny('pace', paces=[1, 2, 3, 4, 5])
    wrapped(cfg, kind)
    fill_in_classes(cfg)
    model = cfg.model.get('student', cfg.model)
    assert model.tasks.pace.num_paces == 5
    dataset = Subset(DATASETS.build(cfg.train_dataloader.dataset), [0, 1])
    check_classes(MODELS.build(model), dataset)
    model.tasks.pace.num_paces = 6
    with pytest.raises(UserError, match=r'tells 6 classes.* makes 5'):
        check_classes(MODELS.build(model), dataset)
    with pytest.raises(UserError, match=r'tasks\.pace\.num_paces=6, but'):
        fill_in_classes(cfg)


def test_a_disagreement_names_both_options_and_both_numbers() -> None:
    cfg = tiny('pace', paces=[1, 2, 3, 4, 5])
    cfg.model.tasks.pace.num_paces = 4
    message = (
        'pace_r3d_synthetic.py: model.tasks.pace.num_paces=4, but '
        'train_dataloader.dataset.views.paces=[1, 2, 3, 4, 5] makes 5 classes of the '
        "label 'pace'. Leave num_paces out, or set it to 5."
    )
    with pytest.raises(UserError, match=re.escape(message)):
        fill_in_classes(cfg)
    cfg = tiny('vcop', num_clips=4)
    cfg.model.tasks.order.views = [0, 2, 1]
    message = r'views=\[0, 2, 1\], but .*views\.num_clips=4 makes 24 classes'
    with pytest.raises(UserError, match=message):
        fill_in_classes(cfg)
    cfg.model.tasks.order.views = [3, 0, 2, 1]  # another order of as many
    fill_in_classes(cfg)
    assert cfg.model.tasks.order.views == [3, 0, 2, 1]


def test_two_samplers_that_disagree() -> None:
    cfg = tiny('pace')
    one, other = (cfg.train_dataloader.dataset.to_dict() for _ in range(2))
    other['views']['paces'] = [1, 2, 3]
    cfg.train_dataloader.dataset = {'type': 'ConcatDataset', 'datasets': [one, other]}
    with pytest.raises(UserError, match=r'datasets\[0\].* 4 classes.* makes 3'):
        fill_in_classes(cfg)


def test_a_teacher_has_heads_of_its_own() -> None:
    cfg = tiny('pace', paces=[1, 2, 3, 4, 5])
    teacher = tiny('pace').model.to_dict()
    cfg.model = {
        'type': 'mmkd.Distiller',
        'student': cfg.model.to_dict(),
        'teacher': {'model': teacher},
    }
    fill_in_classes(cfg)
    assert cfg.model.student.tasks.pace.num_paces == 5
    assert 'num_paces' not in cfg.model.teacher.model.tasks.pace


def test_a_task_whose_number_nothing_says() -> None:
    class Nameless(ViewClassification):
        label = 'direction'

    with pytest.raises(UserError, match="how many classes the label 'direction' has"):
        Nameless(8)
    assert Nameless(8, num_classes=2).classes == {'direction': 2}


@pytest.mark.parametrize('method', CHANGED)
def test_a_stock_runner_refuses_before_the_first_step(
    method: str, tmp_path: Path
) -> None:
    views, task, _ = CHANGED[method]
    cfg = micro(method, tmp_path / 'w', **views)
    runner = Runner.from_cfg(cfg)
    message = rf'model\.tasks\.{task} tells .* Set model\.tasks\.{task}\.\w+='
    with pytest.raises(UserError, match=message):
        runner.train()
    assert runner.iter == 0 and not list((tmp_path / 'w').glob('*.pth'))


@pytest.mark.slow
def test_five_paces_are_trained_and_stay_five(tmp_path: Path) -> None:
    cfg = micro('pace', tmp_path / 'w', paces=[1, 2, 3, 4, 5])
    fill_in_classes(cfg)
    run(cfg)
    (written,) = (tmp_path / 'w').glob('*.py')
    checkpoint = tmp_path / 'w/epoch_1.pth'
    weights = load(checkpoint)['state_dict']
    assert weights['tasks.pace.classifier.weight'].shape[0] == 5
    # Whatever builds the model from that config has five as well.
    five = {'pace': {'pace': 5}}
    assert mismatches(written, weights) == []
    teacher = {
        'type': 'mmkd.FrozenTeacher',
        'config': str(written),
        'checkpoint': str(checkpoint),
    }
    assert heads(MODELS.build(teacher).model) == five
    cfg, path = Config.fromfile(written), str(checkpoint)
    assert heads(init_recognizer(cfg, path, device='cpu')) == five
    assert heads(load_whole_model(cfg, path)) == five
    network, _ = load_clip_network(written, checkpoint)
    assert torch.equal(network.state_dict()[PART], weights[PART])
    # The config that was trained from knows the paces only.
    source = tmp_path / 'source.py'
    source.write_text(
        f'_base_ = {str(TINY / "pace_r3d_synthetic.py")!r}\n'
        'train_dataloader = dict(dataset=dict(views=dict(paces=[1, 2, 3, 4, 5])))\n'
    )
    assert mismatches(source, weights) == []
    assert model_config(str(source))['tasks']['pace']['num_paces'] == 5
    # Another number of classes, on --resume, is one line.
    four = micro('pace', tmp_path / 'four')
    with pytest.raises(UserError, match=r'shape \(5, 128\) for a tensor of \(4, 128\)'):
        run(four, resume=checkpoint)


PACES = 'train_dataloader.dataset.views.paces=[1,2,3,4,5]'


def test_the_program_says_it_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv('LOCAL_RANK', '0')
    options = ['--cfg-options', PACES, 'model.tasks.pace.num_paces=4']
    with pytest.raises(SystemExit) as caught:
        train_main([str(TINY / 'pace_r3d_synthetic.py'), *options])
    assert caught.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert 'model.tasks.pace.num_paces=4, but ' in line and 'makes 5 classes' in line
    assert not Path('work_dirs').exists()


def test_a_benchmark_measures_the_same_heads() -> None:
    args = Namespace(split=None, cfg_options={PACES.partition('=')[0]: [1, 2, 3]})
    cfg = command_line._read(str(TINY / 'pace_r3d_synthetic.py'), args)
    assert heads(build(cfg)) == {'pace': {'pace': 3}}


@pytest.mark.slow
def test_the_program_trains_five_paces_by_one_option(
    videos: Path, tmp_path: Path
) -> None:
    options = [PACES, 'train_cfg.max_epochs=1', 'train_dataloader.batch_size=2']
    options += ['train_dataloader.num_workers=0', 'model.backbone.base_channels=2']
    options += ['train_dataloader.persistent_workers=False', 'param_scheduler=[]']
    config = str(TINY / 'pace_r3d_synthetic.py')
    command = ['train.py', config, '--work-dir', str(tmp_path), '--cfg-options']
    done = run_tool(videos, *command, *options)
    assert done.returncode == 0, done.stderr
    weights = load(tmp_path / 'epoch_1.pth')['state_dict']
    assert weights['tasks.pace.classifier.weight'].shape == (5, 16)
    written = Config.fromfile(tmp_path / 'pace_r3d_synthetic.py')
    assert written.model.tasks.pace.num_paces == 5

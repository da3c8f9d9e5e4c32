from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from mmkd.engine.options import (
    default_work_dir,
    merge_test_options,
    merge_train_options,
    train_parser,
)
from mmkd.engine.options import test_parser as make_test_parser
from mmkd.errors import UserError


def train_config(*options: str, **values) -> Config:
    base = {
        'optim_wrapper': {'optimizer': {'type': 'SGD', 'lr': 0.1}},
        'val_cfg': {},
        'val_dataloader': {},
        'val_evaluator': {},
    }
    cfg = Config({**base, **values})
    args = train_parser().parse_args(['configs/vspp/x.py', *options])
    merge_train_options(cfg, args)
    return cfg


def evaluation_config(*options: str, **values) -> Config:
    cfg = Config({'test_evaluator': {'type': 'AccMetric'}, **values})
    args = make_test_parser().parse_args(['configs/vspp/x.py', 'a.pth', *options])
    merge_test_options(cfg, args)
    return cfg


@pytest.mark.parametrize(
    ('config', 'split', 'expected'),
    [
        ('configs/auxskd/r3d_k100.py', None, 'auxskd/r3d_k100'),
        ('/any/where/configs/auxskd/r3d_k100.py', None, 'auxskd/r3d_k100'),
        ('/configs/x/configs/finetune/r3d.py', 1, 'finetune/r3d'),
        ('configs/finetune/r3d.py', 2, 'finetune/r3d_split2'),
        ('my/experiment.py', None, 'experiment'),
        ('/x/configs.py', None, 'configs'),
    ],
)
def test_default_work_dir(config, split, expected):
    assert Path(default_work_dir(config, split)) == Path('work_dirs') / expected


def test_work_dir_option_over_config_over_default():
    assert train_config().work_dir == './work_dirs/vspp/x'
    assert train_config(work_dir='mine').work_dir == 'mine'
    assert train_config('--work-dir', 'w', work_dir='mine').work_dir == 'w'
    last = train_config('--work-dir', 'w', '--cfg-options', 'work_dir=z')
    assert last.work_dir == 'z'


@pytest.mark.parametrize(
    ('options', 'before', 'after'),
    [
        ([], None, {'seed': None}),
        (['--seed', '5'], None, {'seed': 5}),
        (['--seed', '5'], {'seed': 1, 'deterministic': True}, None),
        ([], {'seed': 1, 'diff_rank_seed': True}, {'seed': 1, 'diff_rank_seed': True}),
        (
            ['--deterministic', '--diff-rank-seed'],
            {'seed': 1},
            {'seed': 1, 'deterministic': True, 'diff_rank_seed': True},
        ),
    ],
)
def test_the_command_line_wins_over_the_seed_of_the_config(options, before, after):
    cfg = train_config(*options, randomness=before)
    expected = after or {'seed': 5, 'deterministic': True}
    assert dict(cfg.randomness) == expected


def test_no_validate_and_auto_scale_lr():
    cfg = train_config('--no-validate')
    assert cfg.val_cfg is cfg.val_dataloader is cfg.val_evaluator is None
    scale = {'base_batch_size': 8, 'enable': False}
    assert train_config('--auto-scale-lr', auto_scale_lr=scale).auto_scale_lr.enable
    with pytest.raises(UserError, match='no auto_scale_lr'):
        train_config('--auto-scale-lr')


@pytest.mark.parametrize('kind', [None, 'AmpOptimWrapper', 'mmkd.AmpOptimWrapper'])
def test_amp_takes_the_wrapper_that_runs_everywhere(kind):
    given = {} if kind is None else {'type': kind, 'dtype': 'bfloat16'}
    wrapper = train_config('--amp', optim_wrapper=given).optim_wrapper
    assert wrapper == {**given, 'type': 'mmkd.AmpOptimWrapper'}


def test_amp_leaves_a_wrapper_of_another_kind_alone():
    with pytest.raises(UserError, match='does not work with the optim_wrapper Other'):
        train_config('--amp', optim_wrapper={'type': 'Other'})


def test_resume_from_a_named_checkpoint():
    cfg = train_config('--resume', 'some.pth', load_from='pretrained.pth')
    assert cfg.resume is True and cfg.load_from == 'some.pth'


def test_resume_without_a_name_keeps_load_from_on_the_first_run(tmp_path):
    options = ('--resume', '--work-dir', str(tmp_path))
    cfg = train_config(*options, load_from='pretrained.pth')
    assert cfg.resume is False and cfg.load_from == 'pretrained.pth'
    torch.save({}, tmp_path / 'epoch_1.pth')
    (tmp_path / 'last_checkpoint').write_text(str(tmp_path / 'epoch_1.pth'))
    cfg = train_config(*options, load_from='pretrained.pth')
    assert cfg.resume is True and cfg.load_from == str(tmp_path / 'epoch_1.pth')


def test_cfg_options_that_do_not_fit():
    what = r"--cfg-options list\.5\.x: list is a list of 1, it has no '5'"
    with pytest.raises(UserError, match=what):
        train_config('--cfg-options', 'list.5.x=1', list=[1])


def test_dump_is_added_to_any_form_of_evaluator():
    dump = {'type': 'DumpResults', 'out_file_path': 'a.pkl'}
    acc = {'type': 'AccMetric'}
    for evaluator, expected in (
        (acc, [acc, dump]),
        ([acc], [acc, dump]),
        (None, [dump]),
    ):
        cfg = evaluation_config('--dump', 'a.pkl', test_evaluator=evaluator)
        assert cfg.test_evaluator == expected
    with pytest.raises(UserError, match=r'a\.txt is not a \.pkl file'):
        evaluation_config('--dump', 'a.txt')


def test_show():
    hooks = {'visualization': {'type': 'VisualizationHook'}}
    options = ('--show-dir', 'd', '--interval', '3', '--wait-time', '0.5')
    shown = evaluation_config(*options, default_hooks=hooks).default_hooks.visualization
    assert shown == {
        'type': 'VisualizationHook',
        'enable': True,
        'show': False,
        'wait_time': 0.5,
        'out_dir': 'd',
        'interval': 3,
    }
    with pytest.raises(UserError, match='no visualization hook'):
        evaluation_config('--show')


def test_testing_demands_every_weight():
    hooks = [{'type': 'mmkd.ProgressBarHook'}, {'type': 'mmkd.LoadReportHook'}]
    cfg = evaluation_config(custom_hooks=hooks, resume=True)
    assert cfg.custom_hooks[1].strict is True and 'strict' not in cfg.custom_hooks[0]
    assert (cfg.load_from, cfg.resume, cfg.launcher) == ('a.pth', False, 'none')


@pytest.mark.parametrize(
    ('parser', 'script'), [(train_parser, 'train.py'), (make_test_parser, 'test.py')]
)
def test_every_option_of_mmaction2_is_there(parser, script):
    import re

    import mmaction

    tools = Path(mmaction.__file__).parent / '.mim' / 'tools' / script
    if not tools.is_file():
        pytest.skip('this installation of mmaction2 has no .mim folder')
    upstream = set(re.findall(r"'(--[\w-]+)'", tools.read_text()))
    ours = {name for action in parser()._actions for name in action.option_strings}
    assert upstream and upstream <= ours


def test_testing_needs_no_teacher():
    model = {'type': 'mmkd.Distiller', 'teacher': {'type': 'mmkd.FrozenTeacher'}}
    assert evaluation_config(model=model).model.teacher is None
    other = {'type': 'Other', 'teacher': 1}
    assert evaluation_config(model=other).model.teacher == 1

"""Every stage of every pipeline and experiment is fed what its weights know."""

from pathlib import Path

import pytest

from mmkd.commands.pipeline import read_pipeline, run_pipeline
from mmkd.commands.pipeline.inputs import FedStage, _derived, follow_inputs
from mmkd.commands.reproduce import read_experiment
from mmkd.commands.reproduce.derive import derive_config, stages_read
from mmkd.errors import UserError
from tests.shared_files import ROOT

PIPELINES = sorted(
    path
    for path in (ROOT / 'configs/pipelines').glob('*.py')
    if 'stages' in path.read_text()
)
EXPERIMENTS = sorted((ROOT / 'configs/reproduce').glob('[!_]*/*.py'))


def name_of(path: Path) -> str:
    return f'{path.parent.name}/{path.stem}'


@pytest.fixture(autouse=True)
def from_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def stages_of(path: Path) -> list[FedStage]:
    return [_derived(stage) for stage in read_pipeline(path)[0]]


def stages_of_experiment(path: Path) -> list[FedStage]:
    experiment = read_experiment(path)
    files = {}
    for name, entry in experiment.stages.items():
        files[f'{name}.config'] = str(experiment.folder / entry['config'])
        files[f'{name}.checkpoint'] = name
    return [
        FedStage(
            name,
            derive_config(experiment, name, files, None),
            entry.get('kind', 'train'),
            entry.get('weights'),
            entry.get('teacher') or next(iter(stages_read(entry.get('options'))), None),
        )
        for name, entry in experiment.stages.items()
    ]


def check(stages: list[FedStage]) -> None:
    fed = follow_inputs(stages)
    # All is known: nothing starts from a file, and no preprocessor is another's.
    assert None not in fed.values()
    for stage in stages:
        if stage.weights is not None:
            assert fed[stage.name] == fed[stage.weights], stage.name


@pytest.mark.parametrize('path', PIPELINES, ids=name_of)
def test_pipelines(path: Path) -> None:
    check(stages_of(path))


@pytest.mark.parametrize('path', EXPERIMENTS, ids=name_of)
def test_experiments(path: Path) -> None:
    check(stages_of_experiment(path))


def test_the_full_size_chain_keeps_bgr255_to_its_end() -> None:
    path = ROOT / 'configs/pipelines/auxskd_vspp_r3d_k100_ucf101.py'
    fed = follow_inputs(stages_of(path))
    assert {one.name for one in fed.values() if one} == {'bgr255'}
    assert list(fed) == ['auxskd', 'vspp', 'retrieval', 'finetune', 'test']


def test_arms_of_one_experiment_see_the_same_pixels() -> None:
    path = ROOT / 'configs/reproduce/laptop/auxskd_vcop_ut.py'
    fed = follow_inputs(stages_of_experiment(path))
    inputs = {one for name, one in fed.items() if 'vcop' in name}
    assert len(inputs) == 1 and len(fed) == 9


PIPELINE = """
stages = dict(
    first=dict(config='first.py'),
    second=dict({kind}config='second.py', weights='first'),
)
"""
MODEL = "model = dict({}data_preprocessor=dict(type='mmkd.ClipPreprocessor', {}))\n"


@pytest.mark.parametrize(
    ('more', 'tasks', 'kind', 'hooks', 'refused'),
    [
        ("convention='auto'", '', "kind='evaluate', ", '', False),
        ("convention='rgb01'", '', "kind='evaluate', ", '', True),
        ("convention='rgb01', insist=True", '', "kind='evaluate', ", '', False),
        ("convention='bgr255', residual=True", '', "kind='test', ", '', True),
        ("convention='rgb01'", '', '', '', False),  # fine-tuning: named in words
        ("convention='rgb01'", 'tasks=dict(), ', '', '', True),  # a further phase
        ("convention='rgb01'", '', '', 'mmkd.EpochTeacherHook', True),
    ],
)
def test_a_chain_that_breaks_is_refused_before_its_first_stage(
    tmp_path: Path, more: str, tasks: str, kind: str, hooks: str, refused: bool
) -> None:
    (tmp_path / 'first.py').write_text(MODEL.format('', "convention='bgr255'"))
    custom = f'custom_hooks = [dict(type={hooks!r})]\n' if hooks else ''
    (tmp_path / 'second.py').write_text(MODEL.format(tasks, more) + custom)
    path = tmp_path / 'pipeline.py'
    path.write_text(PIPELINE.format(kind=kind))
    stages, _ = read_pipeline(path)
    if not refused:
        follow_inputs([_derived(stage) for stage in stages])
        return
    with pytest.raises(UserError, match=r"'second': stage 'first' was.*'bgr255'"):
        run_pipeline(stages, tmp_path, tmp_path / 'work')
    assert not (tmp_path / 'work').exists()


def test_a_teacher_of_another_input_is_refused(tmp_path: Path) -> None:
    first = tmp_path / 'first.py'
    first.write_text(MODEL.format("type='x', ", "convention='bgr255'"))
    wrong = {'type': 'x', 'data_preprocessor': {'convention': 'rgb01'}}
    teacher = {'type': 'mmkd.FrozenTeacher', 'config': wrong}
    student = {'data_preprocessor': {'convention': 'imagenet'}}
    stages = [
        FedStage('first', {'model': {'data_preprocessor': {'convention': 'bgr255'}}}),
        FedStage(
            'second',
            {'model': {'student': student, 'teacher': teacher}},
            teacher='first',
        ),
    ]
    with pytest.raises(UserError, match="'second': its teacher, stage 'first'"):
        follow_inputs(stages)
    wrong['data_preprocessor'] = {'convention': 'auto'}
    assert follow_inputs(stages)['second'] is not None

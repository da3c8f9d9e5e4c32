"""Stages run in order from each other and continue where they stopped."""

import json
import os
import shutil
import signal
import threading
import time
from pathlib import Path

import pytest

from mmkd.commands.pipeline import (
    TIME_IS_UP,
    Stage,
    Stopped,
    read_pipeline,
    run_pipeline,
)
from mmkd.commands.pipeline.command_line import result_table
from mmkd.commands.pipeline.stage import stage_command
from mmkd.commands.pipeline.state import StageState, checkpoint_of, read_state
from mmkd.config_files import read_config
from mmkd.errors import UserError
from tests.shared_files import ROOT

# Stand-ins for the real programs: they note their arguments and leave a checkpoint.
PROGRAM = """
import json, os, sys, pathlib
args = sys.argv[1:]
here = pathlib.Path(__file__).parent
with open(here / 'calls.jsonl', 'a') as file:
    file.write(json.dumps([pathlib.Path(__file__).stem, *args]) + '\\n')
if (here / 'fail').exists():
    sys.exit(3)
def value(name):
    return pathlib.Path(args[args.index(name) + 1])
if '--json' in args:
    value('--json').parent.mkdir(parents=True, exist_ok=True)
    value('--json').write_text(json.dumps({'R@1': 12.5, 'acc/top1': 0.25}))
else:
    folder = value('--work-dir')
    folder.mkdir(parents=True, exist_ok=True)
    for epoch in (1, 2):
        (folder / f'epoch_{epoch}.pth').write_text('')
    (folder / 'last_checkpoint').write_text('/moved/away/epoch_2.pth')
"""


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    folder = tmp_path / 'tools'
    folder.mkdir()
    for name in ('train', 'test', 'evaluate'):
        (folder / f'{name}.py').write_text(PROGRAM)
    return folder


def calls(tools: Path) -> list[list[str]]:
    path = tools / 'calls.jsonl'
    return [json.loads(line) for line in path.read_text().splitlines()]


def stages(tmp_path: Path) -> list[Stage]:
    config = tmp_path / 'method.py'
    if not config.exists():
        config.write_text('lr = 1\n')
    return [
        Stage('one', config, options={'a.b': 2}),
        Stage('two', config, weights='one', epoch=1, seed=7),
        Stage('three', config, kind='test', weights='two'),
        Stage('four', config, kind='evaluate', protocols=('retrieval',)),
    ]


def test_commands_and_states(tmp_path: Path, tools: Path) -> None:
    work = tmp_path / 'work'
    states = run_pipeline(stages(tmp_path), tools, work)
    config = str(tmp_path / 'method.py')
    assert calls(tools) == [
        ['train', config, '--work-dir', str(work / 'one'), '--seed', '0']
        + ['--cfg-options', 'a.b=2'],
        ['train', config, '--work-dir', str(work / 'two'), '--seed', '7']
        + ['--cfg-options', f'load_from={work / "one" / "epoch_1.pth"}'],
        ['test', config, str(work / 'two' / 'epoch_2.pth')]
        + ['--json', str(work / 'three' / 'metrics.json')]
        + ['--work-dir', str(work / 'three')],
        ['evaluate', config, 'random', '--json', str(work / 'four' / 'metrics.json')]
        + ['--seed', '0', '--protocols', 'retrieval'],
    ]
    assert all(state.done for state in states.values())
    assert states['four'].metrics == {'R@1': 12.5, 'acc/top1': 0.25}
    assert states['one'].metrics == {}


def test_a_stage_teaches_another(tmp_path: Path, tools: Path) -> None:
    one, *_ = stages(tmp_path)
    two = Stage('two', one.config, weights='mmkd://name', teacher='one')
    work = tmp_path / 'work'
    run_pipeline([one, two], tools, work)
    assert calls(tools)[1][4:] == [
        *('--seed', '0', '--cfg-options', 'load_from=mmkd://name'),
        f'model.teacher.checkpoint={work / "one" / "epoch_2.pth"}',
    ]
    # Another training of the teacher is another run of the student.
    changed = Stage('one', one.config, options={'a.b': 3})
    with pytest.raises(UserError, match='one holds a run with other settings'):
        run_pipeline([changed, two], tools, work)
    with pytest.raises(UserError, match='two holds a run with other settings'):
        run_pipeline([changed, two], tools, _without(work, 'one'))


def _without(work: Path, stage: str) -> Path:
    shutil.rmtree(work / stage)
    return work


def test_continues_where_it_stopped(tmp_path: Path, tools: Path) -> None:
    work = tmp_path / 'work'
    run_pipeline(stages(tmp_path)[:1], tools, work)
    (tools / 'fail').touch()
    with pytest.raises(UserError, match=r"stage 'two' ended with status 3.*continues"):
        run_pipeline(stages(tmp_path), tools, work)
    (tools / 'fail').unlink()
    (work / 'two').mkdir(exist_ok=True)
    (work / 'two' / 'last_checkpoint').write_text('epoch_1.pth')
    run_pipeline(stages(tmp_path), tools, work)
    made = calls(tools)
    assert [call[0] for call in made] == ['train', 'train', 'train', 'test', 'evaluate']
    assert '--resume' not in made[1]
    assert '--resume' in made[2]


def test_other_settings_are_refused(tmp_path: Path, tools: Path) -> None:
    work = tmp_path / 'work'
    run_pipeline(stages(tmp_path), tools, work)
    (tmp_path / 'method.py').write_text('lr = 2\n')
    with pytest.raises(UserError, match='one holds a run with other settings'):
        run_pipeline(stages(tmp_path), tools, work)


def test_a_change_of_an_early_stage_reaches_the_later_ones(tmp_path: Path) -> None:
    one, two, *_ = stages(tmp_path)
    assert two.fingerprint(one.fingerprint('')) == two.fingerprint(one.fingerprint(''))
    other = Stage('one', one.config, options={'a.b': 3})
    assert two.fingerprint(one.fingerprint('')) != two.fingerprint(
        other.fingerprint('')
    )


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('x = 1', 'has no stages'),
        ("stages = dict(a=dict(kind='fly', config='m.py'))", "kind 'fly'"),
        ("stages = dict(a=dict(confg='m.py'))", "unknown key 'confg'"),
        ("stages = dict(a=dict(config='n.py'))", 'n.py is not there'),
        ("stages = dict(a=dict(kind='test', config='m.py'))", 'needs weights'),
        (
            "stages = dict(a=dict(config='m.py', weights='b'), b=dict(config='m.py'))",
            "starts from 'b', which does not come before it",
        ),
        (
            "stages = dict(a=dict(config='m.py', teacher='b'), b=dict(config='m.py'))",
            "starts from 'b', which does not come before it",
        ),
        (
            "stages = dict(a=dict(kind='test', config='m.py', teacher='b'))",
            "unknown key 'teacher'",
        ),
        (
            "stages = dict(a=dict(config='m.py', options={'b.c': dict(d=1)}))",
            "option 'b.c' holds a dict",
        ),
        (
            "stages = dict(a=dict(config='m.py', options={'b.c': [dict(d=1)]}))",
            "option 'b.c' holds a dict",
        ),
        ("stages = dict(a=dict(config='m.py'))\ntable = dict(r=['b'])", "stage 'b'"),
    ],
)
def test_bad_pipelines(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / 'm.py').write_text('')
    (tmp_path / 'pipeline.py').write_text(text)
    with pytest.raises(UserError, match=message):
        read_pipeline(tmp_path / 'pipeline.py')


def test_missing_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(UserError, match='holds no checkpoint'):
        checkpoint_of(tmp_path, None)
    with pytest.raises(UserError, match=r'epoch_3\.pth is not there'):
        checkpoint_of(tmp_path, 3)


def test_table_sums_minutes_and_merges_results() -> None:
    states = {
        'a': StageState('', True, 60.0),
        'b': StageState('', True, 30.0, {'acc/top1': 0.5, 'R@1': 10.0}),
    }
    table = result_table({'row': ['a', 'b']}, states, 'title')
    cells = [list(column.cells) for column in table.columns]
    assert cells == [['row'], ['50.0'], ['10.0'], ['-'], ['1.5']]


@pytest.mark.parametrize(
    'name', ['auxskd_vspp_r3d_k100_ucf101', 'tiny_synthetic', 'tiny_ut_interaction']
)
def test_shipped_pipelines_read(name: str) -> None:
    found, rows = read_pipeline(ROOT / f'configs/pipelines/{name}.py')
    assert {stage.kind for stage in found} == {'train', 'test', 'evaluate'}
    assert rows


# It prints its folder, and ends at once or waits to be told to save.
WAITER = """
import pathlib, signal, sys, time
folder = pathlib.Path(sys.argv[sys.argv.index('--work-dir') + 1])
folder.mkdir(parents=True, exist_ok=True)
def save(number, frame):
    (folder / 'last_checkpoint').write_text('interrupted.pth')
    (folder / 'interrupted.pth').touch()
    sys.exit(143)
signal.signal(signal.SIGTERM, save)
(folder / 'ready').touch()
print(folder.name, '--resume' in sys.argv, flush=True)
if (folder / 'last_checkpoint').exists():
    (folder / 'epoch_1.pth').touch()
    sys.exit(0)
time.sleep(60)
"""


def when_ready(paths: list[Path]) -> type[threading.Timer]:
    """Return a clock whose time is over once all these files are there."""

    class Clock(threading.Timer):
        def run(self) -> None:
            while not all(path.exists() for path in paths):
                time.sleep(0.02)
            self.function(*self.args, **self.kwargs)

    return Clock


def test_the_deadline_and_the_next_start(
    tmp_path: Path, tools: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tools / 'train.py').write_text(WAITER)
    config, work = tmp_path / 'method.py', tmp_path / 'work'
    ready = [work / name / 'ready' for name in 'ab']
    monkeypatch.setattr(
        'mmkd.commands.pipeline.children.threading.Timer', when_ready(ready)
    )
    config.write_text('lr = 1\n')
    both = [Stage('a', config), Stage('b', config), Stage('c', config, needs=('a',))]
    with pytest.raises(Stopped) as stopped:
        run_pipeline(both, tools, work, jobs=2, deadline=time.monotonic() + 3600)
    assert stopped.value.code == TIME_IS_UP
    assert not (work / 'c').exists()
    state = json.loads((work / 'a' / 'stage.json').read_text())
    assert not state['done'] and state['seconds'] > 0
    monkeypatch.undo()
    (work / 'c').mkdir()
    (work / 'c' / 'last_checkpoint').touch()
    states = run_pipeline(both, tools, work, jobs=2)
    assert all(state.done for state in states.values())
    assert (work / 'b' / 'output.log').read_text() == 'b False\nb True\n'
    assert states['a'].seconds > state['seconds']


def test_a_failed_job_stops_the_other_and_names_its_log(
    tmp_path: Path, tools: Path
) -> None:
    fail = """if folder.name == 'b':
    while not (folder.parent / 'a/ready').exists():
        time.sleep(0.02)
    sys.exit(3)
"""
    program = WAITER.replace('if (folder', f'{fail}if (folder')
    (tools / 'train.py').write_text(program)
    config, work = tmp_path / 'method.py', tmp_path / 'work'
    config.write_text('lr = 1\n')
    both = [Stage('a', config), Stage('b', config)]
    with pytest.raises(UserError, match=r"'b' ended with status 3. See .*b/output.log"):
        run_pipeline(both, tools, work, jobs=2)
    assert (work / 'a' / 'interrupted.pth').exists()


@pytest.mark.parametrize(
    'text', ['', '\n', '..', '\x1b[2J', None, b'\xff\xfe', 'gone.pth']
)
def test_an_odd_pointer_of_a_stage_is_one_line(tmp_path, text):
    pointer = tmp_path / 'last_checkpoint'
    if text is None:
        os.mkfifo(pointer)
    else:
        pointer.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(UserError, match='checkpoint') as caught:
        checkpoint_of(tmp_path, None)
    assert '\n' not in str(caught.value)


@pytest.mark.parametrize(
    'change', [{'seconds': 'x'}, {'done': 1}, {'metrics': [1]}, {'metrics': {'a': 'x'}}]
)
def test_an_odd_state_of_a_stage_is_one_line(tmp_path, change):
    state = {'fingerprint': 'f', 'done': False, 'seconds': 1.0, 'metrics': {}}
    (tmp_path / 'stage.json').write_text(json.dumps(state))
    assert read_state(tmp_path, 'f').seconds == 1
    (tmp_path / 'stage.json').write_text(json.dumps({**state, **change}))
    with pytest.raises(UserError, match=r'stage\.json cannot be read'):
        read_state(tmp_path, 'f')


def test_a_stop_between_two_stages(
    tmp_path: Path, tools: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SIGTERM comes when stage one has ended and stage two has not started."""
    started = []
    real = StageState.write

    def write(state: StageState, folder: Path) -> None:
        real(state, folder)
        started.append((folder.name, state.done))
        if started[-1] == ('two', False):
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(0.2)  # the main thread takes the signal

    monkeypatch.setattr(StageState, 'write', write)
    work = tmp_path / 'work'
    with pytest.raises(Stopped) as stopped:
        run_pipeline(stages(tmp_path), tools, work)
    assert stopped.value.code == 128 + signal.SIGTERM
    assert len(calls(tools)) == 1
    monkeypatch.undo()
    states = run_pipeline(stages(tmp_path), tools, work)
    assert all(state.done for state in states.values())
    assert [call[0] for call in calls(tools)] == ['train', 'train', 'test', 'evaluate']


def split_chain(folder: Path) -> Path:
    """Write a pipeline of which the second stage depends on the split."""
    (folder / 'plain.py').write_text("train_dataloader = dict(dataset='all.txt')")
    (folder / 'tuned.py').write_text(
        "split_lists = ['{split}.txt']\nnum_splits = 3\n"
        "train_dataloader = dict(dataset=dict(ann_file='1.txt'))\n"
    )
    (folder / 'chain.py').write_text(
        "stages = dict(pre=dict(config='plain.py'),\n"
        "              tune=dict(config='tuned.py', weights='pre'))\n"
    )
    return folder / 'chain.py'


def test_the_split_goes_to_the_stages_that_depend_on_it(tmp_path: Path) -> None:
    path = split_chain(tmp_path)
    before, after = read_pipeline(path)[0], read_pipeline(path, 2)[0]
    assert [stage.split for stage in before] == [None, None]
    assert [stage.split for stage in after] == [None, 2]
    # Another split is another stage: it never goes on from the first one's folder.
    prints = [stage.fingerprint('') for stage in (*before, *after)]
    assert prints[0] == prints[2] and prints[1] != prints[3]
    assert read_config(after[1].config, after[1].split).train_dataloader.dataset == {
        'ann_file': '2.txt'
    }
    commands = [
        stage_command(stage, tmp_path, tmp_path, None, processes)
        for stage in after
        for processes in (1, 2)
    ]
    assert ['--split' in command for command in commands] == [False, False, True, True]
    for command in commands[2:]:
        assert command[command.index('--split') + 1] == '2'


def test_a_split_that_no_stage_has_is_refused(tmp_path: Path) -> None:
    path = split_chain(tmp_path)
    with pytest.raises(UserError, match='has 3 splits'):
        read_pipeline(path, 4)
    (tmp_path / 'alone.py').write_text("stages = dict(pre=dict(config='plain.py'))")
    with pytest.raises(UserError, match=r'no stage of .*alone\.py depends on the'):
        read_pipeline(tmp_path / 'alone.py', 2)

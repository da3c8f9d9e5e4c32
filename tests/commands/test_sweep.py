"""``tools/sweep.py``: a grid of options, one training each, one table."""

import csv
import io
import subprocess
from pathlib import Path

import pytest

from mmkd.commands.pipeline.state import StageState
from mmkd.commands.sweep import as_csv, grid_points, parser, run, split_values
from mmkd.errors import UserError
from tests.shared_files import ROOT
from tests.tools.toy_project import make_project, run_tool

CONFIG = 'configs/toy/tiny.py'
LR = 'optim_wrapper.optimizer.lr'


def test_commas_in_brackets_part_nothing() -> None:
    assert split_values('0.1,0.01') == ['0.1', '0.01']
    assert split_values('[1,2],[3,(4,5)]') == ['[1,2]', '[3,(4,5)]']
    assert split_values('x') == ['x']


def test_every_combination_with_every_seed() -> None:
    points = list(grid_points(['a.b=1,2', 'c=x'], [0, 3]))
    assert [(dict(point.options), point.seed) for point in points] == [
        ({'a.b': '1', 'c': 'x'}, 0),
        ({'a.b': '1', 'c': 'x'}, 3),
        ({'a.b': '2', 'c': 'x'}, 0),
        ({'a.b': '2', 'c': 'x'}, 3),
    ]
    assert points[1].name == 'b=1+c=x+seed=3'
    assert len({point.name for point in points}) == 4


@pytest.mark.parametrize(
    ('grid', 'message'),
    [
        (['a'], "'a' is not KEY=V1,V2"),
        (['a='], "'a=' is not KEY=V1,V2"),
        (['a=1,,2'], 'is not KEY=V1,V2'),
        (['a=1,1'], 'a key or value stands twice'),
        (['a=1', 'a=2'], 'a key or value stands twice'),
    ],
)
def test_a_grid_that_is_none(grid: list[str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        list(grid_points(grid, [0]))


def test_folders_do_not_collide() -> None:
    """Two keys may end alike, and two values may differ in a sign alone."""
    points = list(grid_points(['a.lr=1,2', 'b.lr=1,2'], [0]))
    assert len({point.name for point in points}) == 4
    points = list(grid_points(['a=[1;2],(1;2)'], [0]))
    assert len({point.name for point in points}) == 2


def test_the_csv_has_every_result() -> None:
    points = list(grid_points(['a=1,2'], [0]))
    states = {point.name: StageState('', done=not i) for i, point in enumerate(points)}
    text = as_csv(points, states, [{'loss': 0.5, 'acc/top1': 0.25}, {'loss': 1.0}])
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row['done'] for row in rows] == ['1', '0']
    assert [row['loss'] for row in rows] == ['0.5', '1.0']
    assert [row['acc/top1'] for row in rows] == ['0.25', '']


def test_an_array_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_project(tmp_path)
    monkeypatch.chdir(tmp_path)
    options = ['--grid', f'{LR}=0.1,0.01', '--seeds', '0', '1', '--slurm', 'job.sh']
    run(ROOT / 'tools', [CONFIG, *options, '--cfg-options', 'train_cfg.max_epochs=1'])
    text = Path('job.sh').read_text()
    assert '#SBATCH --array=0-3\n' in text
    last = text.splitlines()[-1]
    assert last.startswith('exec python ')
    assert last.endswith(' --only "$SLURM_ARRAY_TASK_ID"')
    # What the job runs is a sweep of the same points.
    arguments = last.split()[3:-1]
    again = parser().parse_args([*arguments, '2'])
    assert list(grid_points(again.grid, again.seeds)) == list(
        grid_points([f'{LR}=0.1,0.01'], [0, 1])
    )
    assert again.only == 2 and again.cfg_options == {'train_cfg.max_epochs': 1}
    assert subprocess.run(['bash', '-n', 'job.sh']).returncode == 0


def test_what_cannot_be_right_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make_project(tmp_path)
    monkeypatch.chdir(tmp_path)
    for options, message in (
        (['--grid', 'optim_wrapper.optimizer.lrr=1,2'], 'lrr'),
        (['--grid', f'{LR}=1,2', '--only', '2'], '--only 2: the grid has 2 points'),
        (['--grid', f'{LR}=1,2', '--cfg-options', f'{LR}=3'], 'and in --cfg-options'),
        (['--grid', f'{LR}=1,2', '--seeds', '1', '1'], '--seeds 1 1: one stands twice'),
    ):
        with pytest.raises(SystemExit) as end:
            run(ROOT / 'tools', [CONFIG, *options])
        assert end.value.code
        said = capsys.readouterr().err
        assert message in said and said.count('\n') == 1, said
    assert not Path('work_dirs').exists()


@pytest.mark.slow
def test_a_sweep_and_the_same_command_again(tmp_path: Path) -> None:
    make_project(tmp_path)
    command = ['sweep.py', CONFIG, '--grid', f'{LR}=0.1,0.001', '--cfg-options']
    command += ['train_cfg.max_epochs=1', '--work-dir', 'sweep']
    done = run_tool(tmp_path, *command[:4], '--only', '1', *command[4:])
    assert done.returncode == 0, done.stderr
    assert '0 of 1' in done.stdout and '1 of 1' in done.stdout
    done = run_tool(tmp_path, *command)
    assert done.returncode == 0, done.stderr
    assert 'lr=0.001+seed=0, done before' in done.stdout
    rows = list(csv.DictReader((tmp_path / 'sweep/sweep.csv').open()))
    assert [row[LR] for row in rows] == ['0.1', '0.001']
    assert [row['done'] for row in rows] == ['1', '1']
    losses = [float(row['loss']) for row in rows]
    assert losses[0] != losses[1]
    assert (tmp_path / 'sweep/lr=0.1+seed=0/epoch_1.pth').is_file()
    shown = run_tool(tmp_path, *command, '--table')
    assert shown.returncode == 0 and shown.stdout.count('1 of 1') == 2

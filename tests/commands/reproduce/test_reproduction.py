"""An experiment with stand-in programs, from its file to the page."""

import json
from pathlib import Path

import pytest

from mmkd.commands.reproduce import read_experiment, run_experiments, write_evidence
from mmkd.commands.reproduce.derive import stages_read
from mmkd.commands.reproduce.running import pretext_results, stages_of
from mmkd.errors import UserError
from mmkd.scalars import held_out_accuracy, read_scalars
from tests.shared_files import ROOT

EXPERIMENTS = sorted((ROOT / 'configs/reproduce').glob('[!_]*/*.py'))
# They note what they were asked, and measure rate and seed.
PROGRAM = """
import json, pathlib, sys
args = sys.argv[1:]
here = pathlib.Path(__file__).parent
cfg = {}
exec(pathlib.Path(args[0]).read_text(), cfg)
with open(here / 'calls.jsonl', 'a') as file:
    call = [pathlib.Path(__file__).stem, cfg['lr'], cfg['source']]
    file.write(json.dumps(call) + '\\n')
def value(name):
    return pathlib.Path(args[args.index(name) + 1])
if '--json' in args:
    seed = float(pathlib.Path(args[1]).read_text())
    value('--json').parent.mkdir(parents=True, exist_ok=True)
    value('--json').write_text(json.dumps({'acc/top1': cfg['lr'] / 8 + seed / 64}))
else:
    folder = value('--work-dir')
    folder.mkdir(parents=True, exist_ok=True)
    (folder / 'epoch_3.pth').write_text(args[args.index('--seed') + 1])
    (folder / 'last_checkpoint').write_text('epoch_3.pth')
"""
EXPERIMENT = """
claim = 'More is better.'
METHOD = dict(config='method.py')
TEST = dict(kind='test', **METHOD)
for name in ('left', 'over'):  # a loop variable is none of the experiment's
    pass
stages = dict(
    start=dict(epochs=3, **METHOD),
    less=dict(options=dict(lr=1, source='{start.checkpoint}'), **METHOD),
    less_test=dict(weights='less', options=dict(lr=1), **TEST),
    more=dict(weights='start', options=dict(lr=2), **METHOD),
    more_test=dict(weights='more', options=dict(lr=2), **TEST),
)
shared = ['start']
arms = dict(start=['start'], less=['less', 'less_test'], more=['more', 'more_test'])
comparisons = [('more', 'less')]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / 'tools').mkdir()
    for name in ('train', 'test', 'evaluate'):
        (tmp_path / 'tools' / f'{name}.py').write_text(PROGRAM)
    (tmp_path / 'method.py').write_text(
        "lr = 0\nsource = ''\nmodel = dict(type='Recognizer3D')\n"
    )
    (tmp_path / 'try.py').write_text(EXPERIMENT)
    return tmp_path


def run(folder: Path, seeds: list[int], jobs: int = 1):
    experiment = read_experiment(folder / 'try.py')
    tools, work = folder / 'tools', folder / 'work'
    results = run_experiments([experiment], seeds, tools, work, jobs)
    return experiment, results['try']


def test_every_seed_and_the_shared_stage_once(folder: Path) -> None:
    _, results = run(folder, [0, 2])
    assert results == {
        'start': {},
        'less': {'top-1 %': [12.5, 15.625]},
        'more': {'top-1 %': [25.0, 28.125]},
    }
    calls = (folder / 'tools/calls.jsonl').read_text().splitlines()
    assert len(calls) == 1 + 2 * 4
    start = str(folder / 'work/try/shared/start/epoch_3.pth')
    assert json.loads(calls[1]) == ['train', 1, start]
    run(folder, [0, 2])
    assert len((folder / 'tools/calls.jsonl').read_text().splitlines()) == 9


def test_several_jobs_give_the_same_results(folder: Path) -> None:
    _, results = run(folder, [0, 2], jobs=3)
    assert results['less'] == {'top-1 %': [12.5, 15.625]}
    assert results['more'] == {'top-1 %': [25.0, 28.125]}
    calls = (folder / 'tools/calls.jsonl').read_text().splitlines()
    assert len(calls) == 1 + 2 * 4
    # All others wait for the shared stage: its file is named, or its weights taken.
    start = str(folder / 'work/try/shared/start/epoch_3.pth')
    assert json.loads(calls[0]) == ['train', 0, '']
    assert json.loads(calls[1])[2] in ('', start)


def test_a_stage_waits_for_the_files_that_its_options_name(folder: Path) -> None:
    experiment = read_experiment(folder / 'try.py')
    stages = {s.name: s for s in stages_of(experiment, 2, folder / 'work', None)}
    assert stages['try/seed2/less'].needs == ('try/shared/start',)
    assert stages['try/seed2/more'].needs == ()
    options = {'a': [{'b': '{x.checkpoint}'}, '{y.config}'], 'c': ('{x.checkpoint}', 1)}
    assert stages_read(options) == ['x']


def test_the_page(folder: Path) -> None:
    experiment, _ = run(folder, [0, 2])
    page = folder / 'docs' / 'evidence.md'
    assert write_evidence([experiment], folder / 'work', page) == 1
    text = page.read_text()
    assert '| start |  |' in text
    assert '| less | 14.1 ± 2.2 |' in text and '| more | 26.6 ± 2.2 |' in text
    assert '- more less less: top-1 % +12.5 ± 0.0 (no test)' in text
    page.write_text(f'{text}It showed.\n')
    write_evidence([experiment], folder / 'work', page)
    assert page.read_text() == f'{text}It showed.\n'


VOID = """
void = dict(before={date!r}, measures=['top-1 %'], reason='Pixels of another.')
"""


def test_void_metrics_are_struck_until_the_run_is_younger(folder: Path) -> None:
    run(folder, [0, 2])
    page, path = folder / 'evidence.md', folder / 'try.py'
    for date, struck in (('2999-01-01', True), ('1999-01-01', False)):
        path.write_text(EXPERIMENT + VOID.format(date=date))
        write_evidence([read_experiment(path)], folder / 'work', page)
        text = page.read_text()
        assert ('| less | ~~14.1 ± 2.2~~ |' in text) is struck
        assert ('| ~~top-1 %~~ |' in text) is struck
        assert ('**Struck**: Pixels of another.' in text) is struck
        assert ('more less less: top-1 % +12.5' in text) is not struck


def test_names_are_checked(folder: Path) -> None:
    path = folder / 'try.py'
    path.write_text(EXPERIMENT.replace("['less', 'less_test']", "['les']"))
    with pytest.raises(UserError, match="names stage 'les'"):
        read_experiment(path)
    path.write_text(EXPERIMENT.replace("('more', 'less')]", "('more', 'none')]"))
    with pytest.raises(UserError, match="names arm 'none'"):
        read_experiment(path)
    with pytest.raises(UserError, match='Known: method, try'):
        read_experiment(folder / 'tri.py')


def test_accuracy_on_held_out_videos(tmp_path: Path) -> None:
    log = tmp_path / '20260101_000000/vis_data/scalars.json'
    log.parent.mkdir(parents=True)
    rows: list[dict] = [{'loss': 1.0, 'step': 5}]
    for epoch, value in ((1, 0.2), (2, 0.5), (3, 0.4)):
        row = {'held_out/a/acc': value, 'held_out/b/acc_speed': value + 0.2}
        rows.append({**row, 'held_out/a/loss': 9.0, 'epoch': epoch, 'step': epoch})
    log.write_text('\n'.join(map(json.dumps, rows)))
    curve = held_out_accuracy(read_scalars(tmp_path))
    assert curve == pytest.approx({1: 30, 2: 60, 3: 50})
    results = pretext_results(tmp_path, 55.0)
    assert results == {'pretext %': pytest.approx(50), 'epochs to 55 %': 2}
    assert pretext_results(tmp_path, 61.0)['epochs to 61 %'] == float('inf')
    assert pretext_results(tmp_path / 'none', 61.0) == {}


@pytest.mark.parametrize('path', EXPERIMENTS, ids=lambda p: f'{p.parent.name}/{p.stem}')
def test_the_experiments_can_be_read(path: Path) -> None:
    experiment = read_experiment(path)
    assert experiment.comparisons and len(experiment.arms) > 1

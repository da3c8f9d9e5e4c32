"""Every command of the pages names files that are there and options that exist.

Those that need no data, weights or hours are run. What each of the others needs is
listed in ``NEEDS``, and for those that are no tool of ours in ``OTHERS``. A line of a
block of commands that neither knows fails.
"""

import argparse
import re
import runpy
import shlex
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from tests.docs.pages import PROGRAMS, commands, mentions, pages, split_code
from tests.shared_files import ROOT

TEXTS = [page.read_text() for page in pages()]
WHOLE = sorted({command for text in TEXTS for command in commands(text)})
MENTIONED = sorted({command for text in TEXTS for command in mentions(text)})
ALL = sorted({*WHOLE, *MENTIONED})
TOOLS = [c for c in ALL if re.search(r'\btools/\S+\.(py|sh)\b', c)]

NEEDS = {
    'tools/benchmark.py': 'data and minutes',
    'tools/convert_checkpoint.py': 'a checkpoint',
    'tools/data/check_videos.py': 'videos',
    'tools/data/pack.py': 'videos',
    'tools/data/transcode.py': 'videos',
    'tools/data/prepare.py': 'videos; tests/tools/test_prepare.py runs it',
    'tools/dist_test.sh': 'data and a checkpoint',
    'tools/dist_train.sh': 'data',
    'tools/evaluate.py': 'data and a checkpoint',
    'tools/export.py': 'a checkpoint',
    'tools/gates.py': 'the folder of a run',
    'tools/launch.py': 'data; tests/test_processes.py starts a script with it',
    'tools/make_venv.sh': 'the network',
    'tools/pipeline.py': 'data and minutes',
    'tools/report.py': 'the folder of a run',
    'tools/reproduce.py': 'data and hours',
    'tools/sweep.py': 'data and minutes; tests/commands/test_sweep.py runs it',
    'tools/slurm_train.sh': 'data and a cluster',
    'tools/teacher/extract.py': 'videos and weights',
    'tools/data/view_samples.py': 'videos; tests/commands/test_view_sheet.py runs it',
    'tools/teacher/view_maps.py': 'part maps',
    'tools/test.py': 'data and a checkpoint',
    'tools/train.py': 'data',
    'tools/zoo.py': 'published weights; tests/zoo runs it',
}
# By how they begin.
OTHERS = {
    'make check': '.ci/run has it',
    'make demo': 'the network and minutes',
    'make docs': '.ci/run has it',
    'make help': 'nothing: it is run below',
    'make install': 'the network; .ci/run has it',
    'make spell': '.ci/run has it',
    'make test': '.ci/run has it',
    'make test-newest': '.ci/run has it',
    'make test-quick': 'minutes; .ci/run has all tests',
    'mmkd ': 'the installed package; tests/test_command.py has each of its names',
    'python -m mmkd': 'as mmkd',
    'mim ': 'the package onedl-mim; tests/test_installed.py reads configs as it does',
    'pip install': 'the network; tests/test_installed.py does that of this project',
    'pip uninstall': 'an environment to spoil',
    'python -c "import mmkd;': 'a config of yours; tests/test_installed.py does it',
    'python -c "import pickle': 'a pickle; tests of keypoints do it',
    'python -m tests.faults': 'minutes; tests/faults has a test with fewer cases',
    'python -m tests.commands.report': 'a report; its tests draw a toy one',
    'python3.11 -m venv': 'an environment to make; tools/make_venv.sh does it',
    '. .venv/bin/activate': 'the environment',
    'cd mmkd': 'what git clone gives',
    'git clone <': 'the address of the repository',
    'pre-commit install': 'the package pre-commit',
    'tensorboard --logdir': 'the package tensorboard and the folder of a run',
}
# What no block without a command of ours may begin a line with.
PROGRAMS_OF_OTHERS = (
    *('apt-get', 'cd', 'conda', 'curl', 'docker', 'export', 'git', 'nvidia-smi'),
    *(
        'pre-commit',
        'sbatch',
        'srun',
        'tar',
        'tensorboard',
        'torchrun',
        'unzip',
        'wget',
    ),
)
LAUNCHED = {
    'tools/dist_train.sh': 'tools/train.py',
    'tools/dist_test.sh': 'tools/test.py',
}


class Parsed(Exception):
    """The command line was understood."""


def tool_and_arguments(command: str) -> tuple[str, list[str]]:
    """Return the tool of a command, and its arguments without signs of grammar."""
    words = [re.sub(r'[\[\]]', '', word) for word in command.split() if word != '...']
    at = next(i for i, word in enumerate(words) if word.startswith('tools/'))
    tool, arguments = words[at], shlex.split(' '.join(words[at + 1 :]))
    if tool in LAUNCHED:  # CONFIG [CHECKPOINT] GPUS
        count = 2 if tool == 'tools/dist_test.sh' else 1
        assert arguments[count].isdigit() or arguments[count].isupper(), command
        tool, arguments = LAUNCHED[tool], [*arguments[:count], *arguments[count + 1 :]]
    return tool, arguments


@pytest.mark.parametrize('command', TOOLS)
def test_the_tool_understands_it(
    command: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    tool, arguments = tool_and_arguments(command)
    assert (ROOT / tool).is_file()
    monkeypatch.chdir(tmp_path)
    for option, value in pairwise(arguments):
        if option == '--prefix':  # a folder that must be there
            Path(value).mkdir(parents=True)
    if tool.endswith('.sh') or tool == 'tools/doctor.py':
        return
    parse = argparse.ArgumentParser.parse_args

    def parse_only(self, args=None, namespace=None):
        parse(self, args, namespace)
        raise Parsed

    monkeypatch.setattr(argparse.ArgumentParser, 'parse_args', parse_only)
    monkeypatch.setattr(sys, 'argv', [tool, *arguments])
    try:
        runpy.run_path(str(ROOT / tool), run_name='__main__')
    except Parsed:
        return
    except SystemExit:
        error = capsys.readouterr().err
    cut_short = command not in WHOLE and 'arguments are required' in error
    assert cut_short, error


@pytest.mark.parametrize('command', ALL)
def test_its_files_exist(command: str) -> None:
    paths = re.findall(r'(?:configs|tools|requirements|tests)/[/\w]*\.\w+', command)
    paths += re.findall(r'mmkd::([\w/]+\.py)', command)
    folders = (ROOT, ROOT / 'configs')
    gone = [p for p in paths if not any((f / p).exists() for f in folders)]
    assert gone == []


@pytest.mark.parametrize('command', [c for c in ALL if c.startswith('make ')])
def test_its_target_exists(command: str) -> None:
    targets = re.findall(r'^([\w-]+):', (ROOT / 'Makefile').read_text(), re.M)
    words = [word for word in command.split()[1:] if '=' not in word]
    assert set(words) <= set(targets)


def is_known(command: str) -> bool:
    """Tell whether a line of a block is a command of a tool, or one of ``OTHERS``."""
    return 'tools/' in command or command.startswith(tuple(OTHERS))


def lines_of(text: str) -> list[list[str]]:
    """Return the blocks of a page that hold commands, as lines without remarks."""
    blocks = []
    for block in split_code(text)[1]:
        joined = re.sub(r'\\\n\s*', ' ', block).splitlines()
        parts = [
            part for x in joined for part in re.sub(r'(^| )#.*', '', x).split('&&')
        ]
        blocks.append([' '.join(part.split()) for part in parts if part.strip()])
    begins = (*PROGRAMS, *PROGRAMS_OF_OTHERS)
    return [b for b in blocks if any(line.split()[0] in begins for line in b)]


@pytest.mark.parametrize('page', pages(), ids=lambda p: str(p.relative_to(ROOT)))
def test_every_line_of_a_block_of_commands_is_classified(page: Path) -> None:
    lines = [line for block in lines_of(page.read_text()) for line in block]
    assert [line for line in lines if not is_known(line)] == []


def test_every_mentioned_command_is_classified() -> None:
    assert [command for command in MENTIONED if not is_known(command)] == []
    used = [begin for begin in OTHERS if any(c.startswith(begin) for c in ALL)]
    lines = [x for text in TEXTS for block in lines_of(text) for x in block]
    used += [begin for begin in OTHERS if any(x.startswith(begin) for x in lines)]
    assert set(used) == set(OTHERS)


def test_an_unknown_line_is_seen() -> None:
    text = 'Do\n\n    make check  # fast\n    rm -rf \\\n        x && make test\n'
    (lines,) = lines_of(text)
    assert lines == ['make check', 'rm -rf x', 'make test']
    assert [line for line in lines if not is_known(line)] == ['rm -rf x']
    assert lines_of('A\n\n    curl x\n') == [['curl x']]


def test_make_help() -> None:
    done = subprocess.run(['make', 'help'], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0
    assert re.search(r'^demo +\S', done.stdout, re.M)


def runnable() -> list[str]:
    found = [c for c in TOOLS if tool_and_arguments(c)[0] not in NEEDS]
    # Words in capitals stand for something of the reader's.
    return [c for c in found if not re.search(r'\b[A-Z]{4,}\b', c) and '[' not in c]


def test_every_tool_is_run_or_needs_something() -> None:
    tools = {re.search(r'tools/\S+\.(py|sh)', c).group() for c in TOOLS}  # type: ignore
    ran = {tool_and_arguments(c)[0] for c in runnable()}
    assert tools <= set(NEEDS) | ran
    assert len(TOOLS) > 60
    assert ran & set(NEEDS) == set()


@pytest.mark.slow
@pytest.mark.parametrize('command', runnable())
def test_it_runs(command: str, tmp_path: Path) -> None:
    tool, arguments = tool_and_arguments(command)
    child = subprocess.run(
        [sys.executable, str(ROOT / tool), *arguments],
        cwd=ROOT,
        env={'PATH': '/usr/bin:/bin', 'HOME': str(tmp_path), 'OMP_NUM_THREADS': '1'}
        | {'PYTHONPATH': str(ROOT), 'PYTHONWARNINGS': 'ignore'},
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert child.returncode == 0, child.stdout + child.stderr
    assert child.stdout.strip()

"""Every command of the pages names files that are there and options that exist.

Those that need no data, weights or hours are run. What each of the others needs is
listed in ``NEEDS``.
"""

import argparse
import re
import runpy
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import commands, mentions, pages
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
    'tools/make_venv.sh': 'the network',
    'tools/pipeline.py': 'data and minutes',
    'tools/report.py': 'the folder of a run',
    'tools/reproduce.py': 'data and hours',
    'tools/slurm_train.sh': 'data and a cluster',
    'tools/teacher/extract.py': 'videos and weights',
    'tools/teacher/view_maps.py': 'part maps',
    'tools/test.py': 'data and a checkpoint',
    'tools/train.py': 'data',
    'tools/zoo.py': 'published weights; tests/zoo runs it',
}
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
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tool, arguments = tool_and_arguments(command)
    assert (ROOT / tool).is_file()
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
        timeout=300,
    )
    assert child.returncode == 0, child.stdout + child.stderr
    assert child.stdout.strip()

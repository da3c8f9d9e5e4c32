"""The command ``mmkd``: each of its names is a program of ``tools/``."""

import runpy
import subprocess
import sys
from pathlib import Path

import pytest

import mmkd_command
from mmkd.error_lines import as_started
from tests.shared_files import ROOT

TOOLS = ROOT / 'tools'
# launch.py starts other programs; site/ serves the pages.
NOT_PROGRAMS = {'launch.py', 'site/mathml.py'}
# It replaces the module mmkd, so it runs in a process of its own.
BY_ITSELF = 'doctor'


def test_every_program_has_a_name() -> None:
    files = {path.relative_to(TOOLS).as_posix() for path in TOOLS.rglob('*.py')}
    assert sorted(mmkd_command.PROGRAMS.values()) == sorted(files - NOT_PROGRAMS)


@pytest.mark.parametrize('name', sorted(set(mmkd_command.PROGRAMS) - {BY_ITSELF}))
def test_it_has_the_options_of_the_program(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = TOOLS / mmkd_command.PROGRAMS[name]
    monkeypatch.setenv('COLUMNS', '400')  # a longer name must not break lines elsewhere
    monkeypatch.setitem(sys.modules, '__main__', sys.modules['__main__'])
    helps = []
    for command in (['mmkd', name, '--help'], [str(file), '--help']):
        monkeypatch.setattr(sys, 'argv', command)
        with pytest.raises(SystemExit) as end:
            if command[0] == 'mmkd':
                mmkd_command.main()
            else:
                runpy.run_path(str(file), run_name='__main__')
        assert not end.value.code
        helps.append(capsys.readouterr().out)
    assert helps[0].replace(f'mmkd {name}', file.name) == helps[1]
    assert helps[0].startswith(f'usage: mmkd {name} ')


def test_the_list_says_what_each_does(capsys: pytest.CaptureFixture[str]) -> None:
    for argv in ([], ['--help'], ['-h']):
        assert mmkd_command.main(argv) == 0
        lines = capsys.readouterr().out.splitlines()
        told = dict(line.split(maxsplit=1) for line in lines if line.startswith('  '))
        assert set(told) == set(mmkd_command.PROGRAMS)
        assert told['train'] == 'Train the model of a config'


def test_an_unknown_name_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert mmkd_command.main(['tran', 'x.py']) == 2
    said = capsys.readouterr()
    assert said.err == "error: mmkd has no 'tran'. Did you mean train?\n"
    assert mmkd_command.main(['zzz']) == 2
    assert capsys.readouterr().err == "error: mmkd has no 'zzz'. Type mmkd --help.\n"
    assert said.out == ''


def test_as_a_module(tmp_path: Path) -> None:
    """A status and an error are those of the program."""
    child = subprocess.run(
        [sys.executable, '-m', 'mmkd', 'train', 'nothing.py'],
        cwd=tmp_path,
        env={'PYTHONPATH': str(ROOT), 'PATH': ''},
        capture_output=True,
        text=True,
    )
    assert child.returncode == 2
    assert child.stderr.startswith('error: ') and child.stderr.count('\n') == 1


def test_the_doctor_runs_where_mmkd_cannot_be_imported() -> None:
    code = (
        'import sys; sys.modules["mmengine"] = None; import mmkd_command; '
        'sys.exit(mmkd_command.main(["doctor", "--only", "python"]))'
    )
    child = subprocess.run(
        [sys.executable, '-c', code], cwd=ROOT, capture_output=True, text=True
    )
    assert child.returncode == 0, child.stderr
    assert child.stdout.startswith('ok    Python  ')


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    from mmkd.version import __version__

    assert mmkd_command.main(['--version']) == 0
    assert capsys.readouterr().out == f'{__version__}\n'


def test_what_is_said_names_programs_as_they_were_started(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said = 'Run `python tools/train.py A`; tools/data/prepare.py makes lists.'
    monkeypatch.setattr(sys, 'argv', ['tools/train.py'])
    assert as_started(said) == said
    monkeypatch.setattr(sys, 'argv', ['mmkd train'])
    assert as_started(said) == 'Run `mmkd train A`; mmkd prepare makes lists.'

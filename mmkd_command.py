"""The command ``mmkd``: ``mmkd NAME ...`` runs a program of ``tools/``.

It lies beside the package, since ``mmkd doctor`` must run where ``import mmkd`` fails.
"""

import ast
import runpy
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

PROGRAMS = {
    'train': 'train.py',
    'test': 'test.py',
    'evaluate': 'evaluate.py',
    'pipeline': 'pipeline.py',
    'sweep': 'sweep.py',
    'reproduce': 'reproduce.py',
    'report': 'report.py',
    'gates': 'gates.py',
    'benchmark': 'benchmark.py',
    'doctor': 'doctor.py',
    'networks': 'networks.py',
    'zoo': 'zoo.py',
    'convert': 'convert_checkpoint.py',
    'export': 'export.py',
    'prepare': 'data/prepare.py',
    'check-videos': 'data/check_videos.py',
    'pack': 'data/pack.py',
    'transcode': 'data/transcode.py',
    'view-samples': 'data/view_samples.py',
    'extract': 'teacher/extract.py',
    'view-maps': 'teacher/view_maps.py',
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program that the first argument names, with the other arguments.

    Returns:
        Exit status: 0, or 2 if there is no such program. A program that ends with a
        status of its own raises ``SystemExit``.
    """
    name, *rest = (sys.argv[1:] if argv is None else list(argv)) or ['--help']
    tools = tools_folder()
    if name in ('-h', '--help'):
        print(usage(tools))
        return 0
    if name == '--version':
        print(runpy.run_path(str(tools.parents[1] / 'version.py'))['__version__'])
        return 0
    if name not in PROGRAMS:
        near = get_close_matches(name, PROGRAMS, n=1)
        hint = f'Did you mean {near[0]}?' if near else 'Type mmkd --help.'
        print(f'error: mmkd has no {name!r}. {hint}', file=sys.stderr)
        return 2
    run(tools / PROGRAMS[name], f'mmkd {name}', rest)
    return 0


def run(path: Path, name: str, arguments: Sequence[str]) -> None:
    """Run a program as the main one, under another name than that of its file."""
    sys.argv = [name, *arguments]  # its --help begins with the name
    program = ModuleType('__main__')
    program.__file__ = str(path)  # which processes that it starts import
    sys.modules['__main__'] = program
    exec(compile(path.read_text('utf-8'), str(path), 'exec'), vars(program))


def tools_folder() -> Path:
    """Return the folder of the programs; ``mmkd`` is found, not imported."""
    spec = find_spec('mmkd')
    if spec is None or spec.origin is None:
        sys.exit('error: the package mmkd is not there. Install it again.')
    return Path(spec.origin).parent / '.mim' / 'tools'


def usage(tools: Path) -> str:
    """Return the list of the programs, each with the first line of its file."""
    lines = ['usage: mmkd NAME [ARGUMENTS]', '']
    for name, file in PROGRAMS.items():
        text = ast.get_docstring(ast.parse((tools / file).read_text('utf-8'))) or ''
        lines.append(f'  {name:13} {text.splitlines()[0].rstrip(".")}')
    return '\n'.join([*lines, '', 'mmkd NAME --help tells the arguments.'])

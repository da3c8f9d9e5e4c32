"""An environment with nothing in it, and folders of fake packages to put there."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.shared_files import ROOT


def empty_environment(folder: Path) -> Path:
    """Make an environment without any package, and return its Python."""
    command = [sys.executable, '-m', 'venv', '--without-pip', '--symlinks', str(folder)]
    subprocess.run(command, check=True)
    return folder / 'bin' / 'python'


@dataclass
class BrokenSite:
    """A folder of packages that do not work, in an otherwise empty environment.

    Attributes:
        python: The Python of the environment.
        folder: Where the packages are; the examination runs there, too.
        path: Programs of the machine, as in ``PATH``.
    """

    python: Path
    folder: Path
    path: str = '/nonexistent'

    def module(self, name: str, code: str = '') -> 'BrokenSite':
        """Put a module there."""
        path = self.folder.joinpath(*name.split('.')).with_suffix('.py')
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(code)
        return self

    def distribution(self, name: str, version: str) -> 'BrokenSite':
        """List a distribution as installed."""
        folder = self.folder / f'{name.replace("-", "_")}-{version}.dist-info'
        folder.mkdir()
        text = f'Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n'
        (folder / 'METADATA').write_text(text)
        return self

    def examine(self, *options: str) -> tuple[int, str]:
        """Run ``tools/doctor.py`` there; return its status and its report."""
        environment = {
            'PATH': self.path,
            'PYTHONPATH': str(self.folder),
            'PYTHONDONTWRITEBYTECODE': '1',
            'HOME': os.environ.get('HOME', '/'),
        }
        child = subprocess.run(
            [str(self.python), str(ROOT / 'tools' / 'doctor.py'), *options],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=900,
        )
        assert child.stderr == ''
        return child.returncode, child.stdout

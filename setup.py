"""What pyproject.toml cannot say: two files beside the package, see startup/."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class BuildWithScope(build_py):
    """Add ``startup/`` to the wheel, also to that of an editable install."""

    def run(self) -> None:
        """Build as usual, then add the two files."""
        super().run()
        folder = self.build_lib
        if self.editable_mode:
            folder = self.get_finalized_command('install').install_lib
        for path in sorted(Path('startup').glob('mmkd_scope.*')):
            shutil.copy(path, folder)


setup(cmdclass={'build_py': BuildWithScope})

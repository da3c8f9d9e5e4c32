"""Parse command lines, with errors of one line."""

import argparse
from pathlib import Path
from typing import Any, NoReturn

from mmengine.config import DictAction


class ArgumentParser(argparse.ArgumentParser):
    """A parser that says what is wrong in one line, like every error of the tools."""

    def error(self, message: str) -> NoReturn:
        """Say it on stderr and exit with status 2."""
        line = ' '.join(message.split())
        self.exit(2, f'error: {line}. Type {self.prog} --help.\n')


def positive(text: str) -> int:
    """Parse a whole number of at least 1, for ``type=`` of an argument."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f'{text} is less than 1')
    return number


def folder(text: str) -> Path:
    """Parse the path of a folder that is there, for ``type=`` of an argument."""
    path = Path(text)
    if not path.is_dir():
        problem = 'is no folder' if path.exists() else 'does not exist'
        raise argparse.ArgumentTypeError(f'{text} {problem}')
    return path


class ConfigOptions(DictAction):
    """Reads ``KEY=VALUE``; as given, they stand in ``cfg_options_as_given``."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        """Add the options to those that were given before."""
        for text in values:
            try:
                super().__call__(parser, namespace, [text], option_string)
            except (ValueError, AssertionError) as error:
                reason = 'is not KEY=VALUE' if '=' not in text else str(error)
                parser.error(f'argument {option_string}: {text!r}: {reason}')
        given = getattr(namespace, 'cfg_options_as_given', [])
        namespace.cfg_options_as_given = [*given, *values]

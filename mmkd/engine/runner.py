"""MMEngine's runner with a calm console."""

import logging
from typing import Any

from mmengine.logging import MMLogger
from mmengine.runner import Runner


class CalmRunner(Runner):
    """A runner whose long reports go to the log file only.

    Environment, config and the order of the hooks are hundreds of lines; on the console
    they bury what a user looks for. Warnings and errors are shown.
    """

    def build_logger(self, *args: Any, **kwargs: Any) -> MMLogger:
        """Build the logger and keep blocks of text off its console handler."""
        return calm(super().build_logger(*args, **kwargs))


def calm(logger: MMLogger) -> MMLogger:
    """Keep off the console of a logger what a user can do nothing about."""
    for handler in logger.handlers:
        if not isinstance(handler, logging.FileHandler):
            handler.addFilter(_concerns_the_user)
    return logger


# Said at every epoch, or of a single process: known from the first line.
_OBVIOUS = ('Exp name: ', 'Distributed training is not used')


def _concerns_the_user(record: logging.LogRecord) -> bool:
    text = record.getMessage()
    if record.levelno <= logging.INFO:
        return text.count('\n') < 3 and not text.startswith(_OBVIOUS)
    # MMEngine says this of its own code, at the first checkpoint it saves.
    return not text.startswith(('"FileClient" will be', '"HardDiskBackend" is the'))

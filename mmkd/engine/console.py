"""Keep the console short: only messages that a user can act on."""

import logging

from mmengine.logging import MMLogger, print_log


def warn(text: str) -> None:
    """Write a warning into the log of the run, which is shown."""
    print_log(text, logger='current', level=logging.WARNING)


class QuietFileHandler(logging.FileHandler):
    """Log file that prints no trace-back for each message when the disk is full."""

    def handleError(self, record: logging.LogRecord) -> None:
        """Stay silent: whatever else is written to that disk will raise."""


def shorten_console(logger: MMLogger) -> MMLogger:
    """Filter messages off the console that a user cannot act on."""
    for index, handler in enumerate(logger.handlers):
        if type(handler) is logging.FileHandler:  # not one that rotates, say
            logger.handlers[index] = _quiet(handler)
        elif not isinstance(handler, logging.FileHandler):
            handler.addFilter(_concerns_the_user)
    return logger


def _quiet(handler: logging.FileHandler) -> logging.FileHandler:
    """Return a quiet handler of the same file."""
    handler.close()
    quiet = QuietFileHandler(handler.baseFilename, 'a', handler.encoding)
    quiet.setLevel(handler.level)
    quiet.setFormatter(handler.formatter)
    for each in handler.filters:
        quiet.addFilter(each)
    return quiet


# Said at every epoch, or of a single process: known from the first line.
_OBVIOUS = ('Exp name: ', 'Distributed training is not used')

_NO_WARNING = (
    # MMEngine says this of its own code, at the first checkpoint it saves.
    '"FileClient" will be',
    '"HardDiskBackend" is the',
    # Costs nothing here, see mmkd.engine.loops.
    'Advance dataloader',
)


def _concerns_the_user(record: logging.LogRecord) -> bool:
    text = record.getMessage()
    if record.levelno <= logging.INFO:
        return text.count('\n') < 3 and not text.startswith(_OBVIOUS)
    return not text.startswith(_NO_WARNING)

"""Turn errors into one line, where a program ends and where a config is built."""

import os
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import NoReturn

from mmkd.ctrl_c import MESSAGE, STATUS, interruption
from mmkd.errors import UserError, printable


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Turn a :class:`UserError`, and Ctrl-C, into one line on stderr.

    So is an error of the operating system that names a file: who reads or writes it
    found it missing, a folder, protected, or the disk full. With ``MMKD_TRACEBACK=1``
    in the environment the trace-back is shown as well, for those who write a method.

    Raises:
        SystemExit: With status 2, if the body raises one of them; with 130 on Ctrl-C.
    """
    with interruption() as interrupted:
        try:
            yield
        except KeyboardInterrupt:
            interrupted.append(STATUS)
        except Exception as error:
            if not interrupted:  # else of an import that Ctrl-C broke off
                _report(error)
        else:
            return
    print(MESSAGE, file=sys.stderr)
    raise SystemExit(STATUS)


def _report(error: Exception) -> NoReturn:
    """Print the line of a user's error and exit; raise any other as it is."""
    named = isinstance(error, OSError) and error.filename is not None
    if not named and not isinstance(error, UserError):
        raise error
    if os.environ.get('MMKD_TRACEBACK') == '1':
        traceback.print_exception(error)
    print(f'error: {as_started(_one_line(error))}', file=sys.stderr)
    raise SystemExit(2) from None


def as_started(text: str) -> str:
    """Return a text that names the programs as the user started this one.

    ``mmkd train`` for ``python tools/train.py`` if it was by the command ``mmkd``.
    """
    command = sys.modules.get('mmkd_command')
    if command is None or not sys.argv[0].startswith('mmkd '):
        return text
    for name, file in command.PROGRAMS.items():
        for form in (f'python tools/{file}', f'tools/{file}'):
            text = text.replace(form, f'mmkd {name}')
    return text


def _one_line(error: Exception) -> str:
    """Return one printable line, without the trace-back that a loader's worker adds."""
    if isinstance(error, OSError):
        return printable(f'{error.filename}: {error.strerror}')
    text = str(error)
    if text.startswith('Caught ') and 'Original Traceback' in text:
        text = text.rstrip().splitlines()[-1].partition('Error: ')[2]
    return printable(' '.join(text.split()))


@contextmanager
def building(subject: str) -> Iterator[None]:
    """Turn whatever keeps an object of a config from being built into a UserError.

    Args:
        subject: Object that is built, e.g. ``'model of configs/a.py'``.

    Raises:
        UserError: If the body raises anything; the cause is kept.
    """
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        text = ' '.join(str(error).split())
        kind = _innermost_type(error.__traceback__)
        of = f' in {kind}' if kind else ''
        raise UserError(
            f'{subject} cannot be built: {type(error).__name__}{of}: {text}',
            'Correct its settings; MMKD_TRACEBACK=1 shows where it went wrong.',
        ) from error


def _innermost_type(trace: TracebackType | None) -> str:
    """Return the type that MMEngine was building when an error arose; '' for none."""
    found: object = ''
    while trace is not None:
        if trace.tb_frame.f_code.co_name == 'build_from_cfg':
            cfg = trace.tb_frame.f_locals.get('cfg')
            found = cfg.get('type', '') if isinstance(cfg, Mapping) else ''
        trace = trace.tb_next
    return found if isinstance(found, str) else getattr(found, '__name__', '')

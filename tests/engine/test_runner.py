import errno
import logging
import os
import uuid

import pytest
from mmengine.hooks import Hook
from mmengine.logging import MMLogger

from mmkd.engine.console import QuietFileHandler, shorten_console
from mmkd.engine.runner import ResumableRunner
from mmkd.errors import UserError
from tests.engine.toy import ToyNet
from tests.faults.toy_run import toy_run


def test_long_reports_go_to_the_log_file_only(tmp_path, capsys):
    runner = ResumableRunner(ToyNet(), str(tmp_path), experiment_name='short')
    runner.logger.info('one line')
    runner.logger.warning('a\nb\nc\nd\ne')
    runner.logger.warning('"FileClient" will be deprecated in future.')
    shown = capsys.readouterr().out
    assert 'one line' in shown and 'a\nb\nc\nd\ne' in shown
    assert 'System environment' not in shown and 'FileClient' not in shown
    (log,) = tmp_path.glob('*/*.log')
    written = log.read_text()
    for text in (
        'System environment',
        'Hooks will be executed',
        'one line',
        'FileClient',
    ):
        assert text in written


@pytest.mark.parametrize(('level', 'shown'), [('INFO', False), ('WARNING', True)])
def test_only_information_is_shortened(level, shown):
    from mmkd.engine.console import _concerns_the_user

    number = getattr(logging, level)
    record = logging.LogRecord('x', number, '', 0, 'a\nb\nc\nd', None, None)
    assert _concerns_the_user(record) is shown


class Full(Hook):
    """Writes a log at the second step, to a disk that has no room."""

    def __init__(self, number: int) -> None:
        self.number = number

    def after_train_iter(self, runner, *args, **kwargs):
        if runner.iter == 1:
            raise OSError(self.number, os.strerror(self.number))


@pytest.mark.parametrize('number', [errno.ENOSPC, errno.EDQUOT, errno.EROFS])
def test_no_room_for_a_log_is_one_line(tmp_path, number):
    runner = toy_run(tmp_path, lambda text: None)
    runner.register_hook(Full(number))
    with pytest.raises(UserError, match=f'{tmp_path} cannot be written to'):
        runner.train()


def test_another_error_of_the_system_is_not_explained_away(tmp_path):
    runner = toy_run(tmp_path, lambda text: None)
    runner.register_hook(Full(errno.EIO))
    with pytest.raises(OSError, match='Input/output'):
        runner.train()


def test_a_log_on_a_full_disk_says_nothing_by_itself(capfd):
    logger = MMLogger(f'full{uuid.uuid4().hex}')
    logger.addHandler(logging.FileHandler('/dev/full'))
    shorten_console(logger)
    logger.handlers[-1].emit(logging.makeLogRecord({'msg': 'x' * 100_000}))
    assert type(logger.handlers[-1]) is QuietFileHandler
    assert 'No space left' not in capfd.readouterr().err

import logging

import pytest

from mmkd.engine.runner import CalmRunner
from tests.engine.toy import ToyNet


def test_long_reports_go_to_the_log_file_only(tmp_path, capsys):
    runner = CalmRunner(ToyNet(), str(tmp_path), experiment_name='calm')
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
    from mmkd.engine.runner import _concerns_the_user

    number = getattr(logging, level)
    record = logging.LogRecord('x', number, '', 0, 'a\nb\nc\nd', None, None)
    assert _concerns_the_user(record) is shown

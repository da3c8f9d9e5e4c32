"""Which experiments run: the named ones, or all that can, less extras."""

import pytest

from mmkd.commands.reproduce.command_line import choose_experiments
from mmkd.errors import UserError

HEAD = """
claim = 'More is better.'
stages = dict(one=dict(config='method.py'))
arms = dict(one=['one'])
"""
VIDEOS = "videos = dict(prefix='v', lists=['not/there.txt'], short_side=64)\n"


@pytest.fixture
def chosen(tmp_path):
    parts = {'plain': '', 'more': 'extra = True\n', 'far': VIDEOS}
    for name, text in parts.items():
        (tmp_path / f'{name}.py').write_text(HEAD + text)
    return lambda *names: [
        one.name for one in choose_experiments(tmp_path, list(names))
    ]


def test_extras_and_those_without_videos_are_passed_over(chosen, capsys):
    assert chosen() == ['plain']
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == 'more: only where it is named'
    assert lines[1].startswith('far passed over: not/there.txt is not there')


def test_a_name_is_enough(chosen):
    assert chosen('more', 'far') == ['more', 'far']
    with pytest.raises(UserError, match='is not there'):
        chosen('less')


def test_nothing_that_could_run_is_an_error(chosen, tmp_path):
    (tmp_path / 'plain.py').unlink()
    with pytest.raises(UserError, match='no experiment'):
        chosen()

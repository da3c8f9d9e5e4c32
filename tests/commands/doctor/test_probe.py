"""A probe survives what its child does."""

from mmkd.commands.doctor.probe import Probe, run_probe


def test_answers_are_facts() -> None:
    assert run_probe('answer(a=1); answer(a=2, b=[3])') == Probe({'a': 2, 'b': [3]})


def test_prints_of_the_child_are_no_answers() -> None:
    assert run_probe("print('doctor'); answer(a=None)") == Probe({'a': None})


def test_an_error_keeps_what_was_answered() -> None:
    probe = run_probe("answer(a=1); raise OSError('no such library')")
    assert probe == Probe({'a': 1}, 'OSError: no such library')


def test_a_child_that_hangs_is_ended() -> None:
    probe = run_probe('answer(a=1)\nimport time; time.sleep(600)', seconds=5)
    assert probe == Probe({'a': 1}, 'no answer within 5 s')


def test_a_silent_exit_is_an_error() -> None:
    assert run_probe('import os; os._exit(3)').error == 'the process left with status 3'


def test_a_silent_exit_that_claims_success_is_an_error() -> None:
    probe = run_probe("answer(a=1); import os; print('x'); os._exit(0)")
    assert probe == Probe({'a': 1}, 'the process left with status 0')

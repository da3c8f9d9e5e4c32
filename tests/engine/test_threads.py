"""Idle threads sleep, unless the user says otherwise, and before torch is there."""

import os
import subprocess
import sys

import pytest

from tests.shared_files import ROOT

PROBE = (
    'import sys, os, mmkd.engine; '
    "print(os.environ['OMP_WAIT_POLICY'], 'torch' in sys.modules)"
)


@pytest.mark.parametrize(
    ('given', 'expected'), [(None, 'PASSIVE False'), ('ACTIVE', 'ACTIVE False')]
)
def test_wait_policy(given: str | None, expected: str) -> None:
    environment = {**os.environ, 'PYTHONPATH': str(ROOT)}
    environment.pop('OMP_WAIT_POLICY', None)
    if given:
        environment['OMP_WAIT_POLICY'] = given
    done = subprocess.run(
        [sys.executable, '-c', PROBE],
        env=environment,
        text=True,
        capture_output=True,
        check=True,
    )
    assert done.stdout.strip() == expected

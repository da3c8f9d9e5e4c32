"""Free space is judged by two bounds."""

from pathlib import Path

import pytest

from mmkd.commands.doctor.findings import Status
from mmkd.commands.doctor.machine_checks import judge


@pytest.mark.parametrize(
    ('free', 'status'),
    [(0.5, Status.FAIL), (1.0, Status.WARN), (9.9, Status.WARN), (10.0, Status.OK)],
)
def test_bounds(free: float, status: Status) -> None:
    finding = judge(Path('/'), free, (1.0, 10.0), 'make room')
    assert finding.status is status
    assert finding.text == f'/ has {free:.1f} GB free'
    assert finding.remedy == ('' if status is Status.OK else 'make room')

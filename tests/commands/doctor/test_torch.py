"""What torch says of the GPU is judged."""

import pytest

from mmkd.commands.doctor.findings import Status
from mmkd.commands.doctor.package_checks import judge_gpu

SEEN = {'built_for': '13.0', 'cudnn': 91500, 'gpu': 'H200', 'kind': 'sm_90'}


@pytest.mark.parametrize(
    ('kinds', 'error', 'status'),
    [
        (['sm_80', 'sm_90'], None, Status.OK),
        (['sm_80'], None, Status.WARN),
        (['sm_120'], 'no kernel image is available', Status.FAIL),
    ],
)
def test_kind_of_gpu(kinds: list[str], error: str | None, status: Status) -> None:
    finding = judge_gpu({**SEEN, 'kinds': kinds}, error, driver=True)
    assert finding.status is status
    assert 'H200' in finding.text


def test_a_broken_build_is_no_cpu() -> None:
    finding = judge_gpu({'built_for': '13.0'}, 'RuntimeError: no cuDNN', True)
    assert (finding.status, finding.text) == (Status.FAIL, 'RuntimeError: no cuDNN')

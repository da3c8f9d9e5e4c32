"""ShuffleBN: each process gets its own rows back, encoded in foreign company."""

from pathlib import Path

import torch

from mmkd.distill.teachers import shuffled_over_processes
from mmkd.models.memory import gather_rows
from tests.warm import run_group

ROWS = (3, 2)


def shuffled(rank: int) -> dict[str, torch.Tensor]:
    torch.manual_seed(rank)
    first = sum(ROWS[:rank])
    clips = torch.arange(first, first + ROWS[rank]).float()[:, None]
    company = []

    def encode(x: torch.Tensor) -> dict[str, torch.Tensor]:
        company.extend(x.flatten().tolist())
        return {'square': x**2, 'mean': x.mean().expand(len(x), 1)}

    result = shuffled_over_processes(encode, clips)
    return {
        'clips': clips,
        'all': gather_rows(clips),
        'company': torch.tensor(company),
        **result,
    }


def test_rows_come_back_in_order(tmp_path: Path) -> None:
    reports = run_group(2, shuffled, tmp_path)
    for report in reports:
        torch.testing.assert_close(report['square'], report['clips'] ** 2)
        assert report['all'].flatten().tolist() == [0, 1, 2, 3, 4]
    together = torch.cat([report['company'] for report in reports])
    assert sorted(together.tolist()) == [0, 1, 2, 3, 4]
    assert any(
        not torch.equal(r['company'].sort().values, r['clips'].flatten())
        for r in reports
    )


def test_one_process_encodes_as_it_is() -> None:
    clips = torch.randn(2, 3)
    result = shuffled_over_processes(lambda x: {'same': x}, clips)
    assert result['same'] is clips

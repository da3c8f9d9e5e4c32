"""ShuffleBN: each process gets its own rows back, encoded in foreign company."""

from pathlib import Path

import torch
from torch import distributed

from mmkd.models.memory import gather_rows
from mmkd.models.teachers import shuffled_over_processes

ROWS = (3, 2)


def worker(rank: int, folder: str) -> None:
    distributed.init_process_group(
        'gloo', init_method=f'file://{folder}/meet', rank=rank, world_size=2
    )
    torch.manual_seed(rank)
    first = sum(ROWS[:rank])
    clips = torch.arange(first, first + ROWS[rank]).float()[:, None]
    company = []

    def encode(x: torch.Tensor) -> dict[str, torch.Tensor]:
        company.extend(x.flatten().tolist())
        return {'square': x**2, 'mean': x.mean().expand(len(x), 1)}

    result = shuffled_over_processes(encode, clips)
    report = {
        'clips': clips,
        'all': gather_rows(clips),
        'company': torch.tensor(company),
        **result,
    }
    torch.save(report, f'{folder}/{rank}.pth')
    distributed.destroy_process_group()


def test_rows_come_back_in_order(tmp_path: Path) -> None:
    torch.multiprocessing.spawn(worker, (str(tmp_path),), nprocs=2)
    reports = [torch.load(tmp_path / f'{r}.pth', weights_only=True) for r in (0, 1)]
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

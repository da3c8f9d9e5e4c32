"""The contrastive companions of pace prediction: by hand, and on two processes."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, distributed
from torch.nn.functional import normalize

from mmkd.methods.pace import PaceContrast
from mmkd.models.tasks import EncodedViews
from tests.warm import run_group

VIDEOS = 4
PACES = torch.tensor([[0, 1], [1, 2], [0, 3], [2, 2]])


def build(same: str) -> PaceContrast:
    torch.manual_seed(0)
    return PaceContrast(6, same, embedding=5, temperature=0.5).double()


def batch(maps: Tensor, videos: slice = slice(None)) -> EncodedViews:
    """Return the batch of maps ``(N, 2, C, t, h, w)``."""
    student = {view: maps[videos, view] for view in (0, 1)}
    return EncodedViews(student, {}, {'pace': PACES[videos]})


def feature_maps() -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(VIDEOS, 2, 6, 1, 2, 2, generator=generator).double()


def slow(task: PaceContrast, maps: Tensor) -> float:
    """The definition, clip by clip."""
    clips = [(n, v) for n in range(VIDEOS) for v in (0, 1)]
    z = {
        (n, v): normalize(task.projector(maps[n : n + 1, v]), dim=1)[0]
        for n, v in clips
    }
    total = 0.0
    for anchor in clips:
        same, others = [], 0.0
        for clip in clips:
            similar = torch.exp(z[anchor] @ z[clip] / 0.5).item()
            if task.same == 'context':
                together = clip[0] == anchor[0]
            else:
                together = bool(PACES[clip] == PACES[anchor])
            if not together:
                others += similar
            elif clip != anchor:
                same.append(similar)
        terms = [-torch.log(torch.tensor(s / (s + others))).item() for s in same]
        total += sum(terms) / len(terms) if terms else 0.0
    return total / len(clips)


@pytest.mark.parametrize('same', ['context', 'pace'])
def test_it_equals_the_definition(same: str) -> None:
    task, maps = build(same), feature_maps()
    assert task.loss(batch(maps))['loss'].item() == pytest.approx(slow(task, maps))


def test_equal_views_of_unlike_videos_cost_least() -> None:
    task = build('context')
    task.projector = torch.nn.Flatten()
    maps = torch.eye(6)[:VIDEOS, None].repeat(1, 2, 1)[..., None, None, None]
    alike = task.loss(batch(maps))['loss']
    swapped = torch.stack([maps[:, 0], maps.roll(1, 0)[:, 1]], dim=1)
    assert alike < task.loss(batch(swapped))['loss'] - 1


def share_of(rank: int, world: int, same: str) -> list[Tensor]:
    """Return loss and gradients of a process, as all of them have them together."""
    task, maps = build(same), feature_maps().requires_grad_()
    share = VIDEOS // world
    loss = task.loss(batch(maps, slice(rank * share, (rank + 1) * share)))['loss']
    loss.backward()
    gradients = [p.grad for p in task.parameters()] + [maps.grad]
    for gradient in gradients:  # as DistributedDataParallel does
        distributed.all_reduce(gradient)
        gradient /= world
    distributed.all_reduce(loss)
    return [loss.detach() / world, *gradients]


@pytest.mark.parametrize('same', ['context', 'pace'])
def test_two_processes_equal_one(same: str, tmp_path: Path) -> None:
    ranks = run_group(2, share_of, tmp_path, 2, same)
    task, maps = build(same), feature_maps().requires_grad_()
    loss = task.loss(batch(maps))['loss']
    loss.backward()
    expected = [loss.detach(), *(p.grad for p in task.parameters()), maps.grad]
    for found in ranks:
        for ours, value in zip(found, expected, strict=True):
            torch.testing.assert_close(ours, value, rtol=1e-9, atol=1e-12)
    assert maps.grad.abs().max() > 1e-3

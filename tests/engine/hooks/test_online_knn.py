"""The health curve equals kNN on features, and leaves the training alone."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.registry import DATASETS
from mmengine.runner import Runner

from mmkd.engine.hooks import OnlineKNNHook
from mmkd.errors import UserError
from mmkd.evaluation import Features, knn
from tests.engine.hooks.tiny_runner import TinyClips, tiny_runner
from tests.warm import run_group


@DATASETS.register_module()
class LabelledTinyClips(TinyClips):
    """The clips of the training, each at two positions of the list, with classes."""

    def __init__(self, first: int = 0) -> None:
        super().__init__()
        self.items = [
            {
                'inputs': item['inputs'],
                'data_samples': item['data_samples'].new(),
            }
            for item in self.items[first:]
        ]
        for index, item in enumerate(self.items):
            item['data_samples'].set_gt_label(index % 3)

    def get_data_info(self, index: int) -> dict[str, Any]:
        return {'label': index % 3}


CLIPS = {'type': 'LabelledTinyClips'}


def curve(folder: Path) -> dict[int, float]:
    (path,) = folder.rglob('scalars.json')
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return {x['step']: x['online_knn/top1'] for x in lines if 'online_knn/top1' in x}


def features(runner: Runner) -> tuple[torch.Tensor, torch.Tensor]:
    data = LabelledTinyClips()
    runner.model.eval()
    vectors, labels = [], []
    with torch.no_grad():
        for item in data.items:
            raw = {'inputs': [item['inputs']], 'data_samples': [item['data_samples']]}
            clips = runner.model.data_preprocessor(raw, False)['inputs'][0]
            maps = runner.model.backbone(clips)
            vectors.append(maps.mean((2, 3, 4)).mean(0).float())
            labels.append(int(item['data_samples'].gt_label))
    return torch.stack(vectors), torch.tensor(labels)


def leave_one_out_accuracy(
    vectors: torch.Tensor, labels: torch.Tensor, k: int
) -> float:
    hits = []
    for index in range(len(labels)):
        rest = torch.arange(len(labels)) != index
        train = Features(vectors[rest], labels[rest])
        one = Features(vectors[~rest], labels[~rest])
        found = knn(train, one, int(labels.max()) + 1, ks=(k,))
        hits.append(found[f'kNN@{k}'].metrics['top1'])
    return sum(hits) / len(hits)


def test_every_few_epochs_of_the_latest_weights(tmp_path: Path) -> None:
    hook = OnlineKNNHook(CLIPS, interval=2, k=3)
    runner = tiny_runner(tmp_path, hook, epochs=4)
    runner.train()
    found = curve(tmp_path)
    assert list(found) == [2, 4]
    expected = leave_one_out_accuracy(*features(runner), k=3)
    assert found[4] == pytest.approx(expected)


def test_queries_of_their_own(tmp_path: Path) -> None:
    # The nearest of one neighbour is the clip itself.
    hook = OnlineKNNHook(CLIPS, queries=CLIPS, interval=1, k=1)
    tiny_runner(tmp_path, hook, epochs=1).train()
    assert curve(tmp_path) == {1: 100.0}


def test_training_is_the_same_with_and_without(tmp_path: Path) -> None:
    states = []
    for hooks in ((), (OnlineKNNHook(CLIPS, interval=1),)):
        runner = tiny_runner(tmp_path, *hooks)
        runner.train()
        assert runner.model.training
        states.append((runner.model.state_dict(), torch.get_rng_state()))
    for name, value in states[0][0].items():
        assert torch.equal(value, states[1][0][name]), name
    assert torch.equal(states[0][1], states[1][1])


def test_a_list_without_labels_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LabelledTinyClips, 'get_data_info', lambda *_: {'label': -1})
    with pytest.raises(UserError, match='8 videos, 8 without label'):
        tiny_runner(tmp_path, OnlineKNNHook(CLIPS)).train()


def worker(rank: int, folder: Path) -> tuple[torch.Tensor, torch.Tensor]:
    return encoded(folder / str(rank))


def encoded(folder: Path) -> tuple[torch.Tensor, torch.Tensor]:
    """The table of seven videos that the hook sees."""
    hook = OnlineKNNHook({**CLIPS, 'first': 1})
    runner = tiny_runner(folder, hook)
    hook.before_train(runner)
    runner.model.eval()
    with torch.no_grad():
        return hook._encode(runner, runner.model, hook._data['gallery'])


@pytest.mark.slow
def test_two_processes_as_one(tmp_path: Path) -> None:
    found = run_group(2, worker, tmp_path, tmp_path)
    alone = encoded(tmp_path / 'alone')
    assert len(alone[1]) == 7 and alone[1].tolist() == [0, 1, 2, 0, 1, 2, 0]
    for vectors, labels in found:
        assert torch.equal(labels, alone[1])
        torch.testing.assert_close(vectors, alone[0], rtol=0, atol=0)

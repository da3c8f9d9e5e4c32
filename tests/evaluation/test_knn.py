"""kNN equals scikit-learn's."""

import numpy as np
import pytest
import torch
from sklearn.neighbors import KNeighborsClassifier

from mmkd.evaluation import Features, knn
from mmkd.evaluation.knn import TEMPERATURE


def random_features(videos: int, classes: int, seed: int) -> Features:
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(classes, (videos,), generator=generator)
    centres = torch.randn(classes, 16, generator=torch.Generator().manual_seed(9))
    noise = torch.randn(videos, 16, generator=generator)
    return Features(centres[labels] + 2 * noise, labels)


@pytest.mark.parametrize('k', [1, 5, 20])
def test_equals_scikit_learn(k: int) -> None:
    train, test = random_features(150, 7, 0), random_features(83, 7, 1)
    found = knn(train, test, 7, ks=(k,))
    ways = {
        f'kNN@{k} plain': 'uniform',
        f'kNN@{k}': lambda distance: np.exp((1 - distance) / TEMPERATURE),
    }
    for name, weights in ways.items():
        twin = KNeighborsClassifier(k, weights=weights, metric='cosine')
        twin.fit(train.vectors.double().numpy(), train.labels.numpy())
        answers = twin.predict(test.vectors.double().numpy())
        expected = 100 * float((answers == test.labels.numpy()).mean())
        assert found[name].metrics['top1'] == pytest.approx(expected), name
        # Column sums of the confusion matrix: how often each class was answered.
        counts = np.bincount(answers, minlength=7).tolist()
        assert found[name].confusion.sum(dim=0).tolist() == counts
        assert 20 < expected < 100


def test_more_neighbours_than_videos() -> None:
    train, test = random_features(6, 3, 0), random_features(9, 3, 1)
    found = knn(train, test, 3, ks=(6, 99))
    assert found['kNN@6'].metrics == found['kNN@99'].metrics

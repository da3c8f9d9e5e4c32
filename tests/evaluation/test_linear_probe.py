"""The linear probe is the logistic regression of scikit-learn."""

import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from mmkd.errors import UserError
from mmkd.evaluation import Features, linear_probe
from mmkd.evaluation.linear_probe import Scale, fit, held_out_mask, scores


def blobs(videos: int, seed: int, classes: int = 6, width: int = 24) -> Features:
    generator = torch.Generator().manual_seed(seed)
    centres = torch.randn(classes, width, generator=torch.Generator().manual_seed(5))
    labels = torch.randint(classes, (videos,), generator=generator)
    noise = torch.randn(videos, width, generator=generator)
    scale = torch.logspace(-2, 2, width)
    return Features((centres[labels] + 2.5 * noise) * scale + 3, labels)


@pytest.mark.parametrize('strength', [0.1, 0.001])
def test_the_solution_is_that_of_scikit_learn(strength: float) -> None:
    train = blobs(300, 0)
    vectors = Scale(train.vectors)(train.vectors)
    twin = LogisticRegression(C=1 / (300 * strength), tol=1e-9, max_iter=10000)
    twin.fit(vectors.numpy(), train.labels.numpy())
    weights = fit(vectors, train.labels, 6, strength)
    torch.testing.assert_close(
        weights[:, :-1], torch.from_numpy(twin.coef_), rtol=0, atol=2e-4
    )
    ours = scores(vectors, weights).softmax(dim=1)
    expected = torch.from_numpy(twin.predict_proba(vectors.numpy()))
    torch.testing.assert_close(ours, expected, rtol=0, atol=2e-4)


def test_within_half_a_point_of_scikit_learn() -> None:
    train, test = blobs(400, 0), blobs(1000, 1)
    found = linear_probe(train, test, 6)
    scaler = StandardScaler().fit(train.vectors.double().numpy())
    twin = LogisticRegression(C=1 / (400 * found.settings['l2']), max_iter=5000)
    twin.fit(scaler.transform(train.vectors.double().numpy()), train.labels.numpy())
    right = twin.score(
        scaler.transform(test.vectors.double().numpy()), test.labels.numpy()
    )
    assert abs(found.metrics['top1'] - 100 * right) < 0.5
    assert 40 < found.metrics['top1'] < 99
    assert int(found.confusion.sum()) == 1000


def test_the_strength_is_the_best_on_held_out_training_videos() -> None:
    train = blobs(120, 3)
    one, other = blobs(50, 1), blobs(50, 2)
    found = [linear_probe(train, test, 6).settings for test in (one, other)]
    assert found[0] == found[1]
    accuracies = found[0]['held_out_top1']
    best = max(accuracies.values())
    assert accuracies[str(found[0]['l2'])] == best
    # The first (strongest) of equals.
    assert next(k for k, v in accuracies.items() if v == best) == str(found[0]['l2'])
    held = held_out_mask(train.labels)
    rest = Features(train.vectors[~held], train.labels[~held])
    scale = Scale(rest.vectors)
    weights = fit(scale(rest.vectors), rest.labels, 6, 0.01)
    answers = scores(scale(train.vectors[held]), weights).argmax(dim=1)
    twin = 100 * float((answers == train.labels[held]).double().mean())
    assert accuracies['0.01'] == pytest.approx(twin)


def test_the_last_fifth_of_each_class_is_held_out() -> None:
    labels = torch.tensor([0] * 10 + [1] * 4 + [2] + [0] * 5)
    held = held_out_mask(labels)
    assert held.nonzero().flatten().tolist() == [13, 17, 18, 19]
    with pytest.raises(UserError, match='no class has two training videos'):
        held_out_mask(torch.arange(4))


def test_a_constant_channel_does_no_harm() -> None:
    vectors = torch.tensor([[1.0, 7], [3.0, 7]])
    scaled = Scale(vectors)(vectors)
    assert scaled.tolist() == [[-1, 0], [1, 0]]

import pytest
import torch
from sklearn.metrics import confusion_matrix, top_k_accuracy_score

from mmkd.evaluation import classify
from mmkd.evaluation.classification import by_class


def test_equals_scikit_learn() -> None:
    torch.manual_seed(0)
    scores, labels = torch.rand(200, 8), torch.randint(8, (200,))
    found = classify(scores, labels)
    truth, given = labels.numpy(), scores.argmax(dim=1).numpy()
    matrix = confusion_matrix(truth, given, labels=range(8))
    assert found.confusion.tolist() == matrix.tolist()
    shares = [100 * matrix[c, c] / matrix[c].sum() for c in range(8)]
    assert by_class(found.confusion) == pytest.approx(shares)
    assert found.metrics == pytest.approx(
        {
            'top1': 100 * float((truth == given).mean()),
            'top5': 100 * top_k_accuracy_score(truth, scores.numpy(), k=5),
            'mean_class': sum(shares) / 8,
        }
    )


def test_a_class_without_videos() -> None:
    found = classify(torch.eye(3)[[0, 1, 1]], torch.tensor([0, 0, 1]))
    assert by_class(found.confusion) == [50.0, 100.0, None]
    assert found.metrics['mean_class'] == 75.0
    assert 'top5' not in found.metrics

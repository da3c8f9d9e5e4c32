"""Cross-entropy and accuracy for pretext labels, some of which cannot be known."""

from torch import Tensor
from torch.nn import functional

IGNORE = -100


def masked_cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the cross-entropy summed over labelled rows, divided by all rows.

    A row labelled ``-100`` gives no loss. Dividing by *all* rows keeps the weight of a
    clip the same in every batch, and makes the mean over several processes equal to
    the value of one process with the whole batch. A batch without any label gives 0,
    not NaN. With all rows labelled it is the usual mean. Source: ours.

    Args:
        logits: Shape ``(N, classes)``.
        labels: Class numbers of shape ``(N,)``, or -100.

    Returns:
        A scalar.
    """
    total = functional.cross_entropy(
        logits, labels, ignore_index=IGNORE, reduction='sum'
    )
    return total / len(labels)


def masked_accuracy(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the share of labelled rows whose largest logit is right; 0 if none is.

    Args:
        logits: Shape ``(N, classes)``.
        labels: Class numbers of shape ``(N,)``, or -100.

    Returns:
        A scalar in 0..1 without gradient. Source: ours.
    """
    known = labels != IGNORE
    right = (logits.detach().argmax(dim=1) == labels) & known
    return right.sum() / known.sum().clamp(min=1)

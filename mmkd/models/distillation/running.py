"""Run a network as training runs it, for what its modules return."""

from mmaction.models.recognizers.base import BaseRecognizer
from mmaction.structures import ActionDataSample
from torch import Tensor, nn


def run_network(
    model: nn.Module, inputs: Tensor, data_samples: list[ActionDataSample] | None
) -> None:
    """Run a network; its results are of no interest, see :class:`Recorder`.

    A recognizer runs to its scores, without a loss: its classes need not be those of
    the labels. Any other model computes its losses, because its heads run in them.
    Source: ours.

    Args:
        model: Recognizer, Pretrainer, or a model of MMEngine's interface.
        inputs: Its batch, e.g. ``(N, M, 3, T, H, W)``.
        data_samples: ``N`` samples.
    """
    if isinstance(model, BaseRecognizer):
        stage = 'head' if model.with_cls_head else 'neck'
        model(inputs, mode='tensor', stage=stage)
    else:
        model(inputs, data_samples, mode='loss')

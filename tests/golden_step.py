"""Compare training steps of a ``Pretrainer`` with those of the official code."""

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from mmaction.structures import ActionDataSample
from mmengine.structures import LabelData
from torch import Tensor, nn

from mmkd.zoo.convert.renaming import VCOP_RESNET, Table, renamer
from tests.golden import Golden


def load_by_table(
    model: nn.Module,
    official: dict[str, Tensor],
    prefixes: dict[str, str],
    naming: Table = VCOP_RESNET,
) -> dict[str, str]:
    """Fill a model from official tensors, strictly, and return ``official -> own``.

    Args:
        model: The model; every tensor but the teachers' step counters is filled.
        official: The official state dict.
        prefixes: Longest official prefix first, and the prefix that it becomes.
            Names behind a prefix that becomes a backbone are renamed as well.
        naming: How the official names within the backbone become ours.
    """
    rename = renamer(naming)
    table = {}
    for key in official:
        old, new = next(p for p in prefixes.items() if key.startswith(p[0]))
        rest = key.removeprefix(old)
        table[key] = new + (rename(rest) if new.endswith('backbone.') else rest)
    state = {
        table[k]: v.reshape(model.state_dict()[table[k]].shape)
        for k, v in official.items()
    }
    result = model.load_state_dict(state, strict=False)
    assert not result.unexpected_keys
    assert all(k.endswith('.steps') for k in result.missing_keys), result.missing_keys
    return table


def samples(
    labels: dict[str, list[Any]], indices: Sequence[int] | None = None
) -> list[ActionDataSample]:
    """Return one data sample per clip.

    Args:
        labels: View labels by name, one per sample: a number for ``(1,)``, or a list of
            ``M`` numbers.
        indices: Indices of the samples in their list.
    """
    count = len(next(iter(labels.values())))
    result = []
    for i in range(count):
        sample = ActionDataSample()
        if indices is not None:
            sample.set_metainfo({'sample_idx': int(indices[i])})
        sample.view_labels = LabelData(
            **{k: torch.tensor(v[i]).reshape(-1) for k, v in labels.items()}
        )
        result.append(sample)
    return result


def norms(tensors: Iterable[Tensor]) -> Tensor:
    """Return the L2 norm of each tensor, in double precision."""
    return torch.stack([t.detach().double().norm() for t in tensors])


def check_batch_norms(
    golden: Golden, model: nn.Module, table: dict[str, str], double: bool
) -> None:
    """Compare the running statistics after the last step."""
    state = model.state_dict()
    names = golden.spec['batchnorm_order']['end.bn']
    for what in ('running_mean', 'running_var'):
        found = [state[table[f'{name}.{what}']] for name in names]
        golden.check(f'end.bn.{what}_l2', norms(found), double)
    sums = torch.stack([tensor.double().sum() for tensor in found])
    golden.check('end.bn.running_var_sum', sums, double)


class StepCheck:
    """Compares gradients, changes and values of named parameters, step by step."""

    def __init__(
        self, golden: Golden, model: nn.Module, table: dict[str, str], double: bool
    ) -> None:
        parameters = dict(model.named_parameters())
        self.golden, self.double = golden, double
        self.groups = {
            group: [parameters[table[name]] for name in names]
            for group, names in golden.spec['parameter_order'].items()
        }
        self.remember()

    def remember(self) -> None:
        """Keep the values before the step."""
        self.before = {
            k: [p.detach().clone() for p in group] for k, group in self.groups.items()
        }

    def check_gradients(self, step: str, group: str) -> None:
        """Compare the gradients of a group after backward."""
        gradients = [
            torch.zeros_like(p) if p.grad is None else p.grad
            for p in self.groups[group]
        ]
        self.golden.check(f'{step}.{group}.grad_l2', norms(gradients), self.double)

    def check_change(self, step: str, group: str) -> None:
        """Compare the change and the values of a group after the step."""
        pairs = zip(self.groups[group], self.before[group], strict=True)
        change = norms([new - old for new, old in pairs])
        self.golden.check(f'{step}.{group}.delta_l2', change, self.double)
        values = norms(self.groups[group])
        self.golden.check(f'{step}.{group}.value_l2', values, self.double)

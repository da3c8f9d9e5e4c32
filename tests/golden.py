"""Golden vectors: rebuild the official weights and inputs by rule, and compare.

The rules are those of the README beside the golden vectors: every tensor is drawn from
a generator that is seeded with the CRC-32 of its official key.
"""

import json
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tests.shared_files import shared_path


def official_tensor(key: str, shape: tuple[int, ...]) -> Tensor:
    """Return the tensor that the rule gives to one official state-dict entry."""
    rng = np.random.default_rng(zlib.crc32(key.encode('utf-8')))
    if key.endswith('num_batches_tracked'):
        return torch.zeros(shape, dtype=torch.int64)
    if key.endswith('running_mean'):
        value = 0.1 * rng.standard_normal(shape)
    elif key.endswith('running_var') or (key.endswith('weight') and len(shape) == 1):
        value = rng.uniform(0.5, 1.5, shape)
    elif key.endswith('bias'):
        value = 0.05 * rng.standard_normal(shape)
    else:
        value = rng.standard_normal(shape) * np.sqrt(2 / np.prod(shape[1:]))
    return torch.from_numpy(np.asarray(value, dtype=np.float32))


def official_input(seed: int, shape: list[int]) -> Tensor:
    """Return the float32 input of the rule."""
    values = np.random.default_rng(seed).standard_normal(shape)
    return torch.from_numpy(values.astype('float32'))


@dataclass(frozen=True)
class Golden:
    """One folder of golden vectors.

    Attributes:
        spec: The parsed ``spec.json``.
        float32: Outputs of the official code in single precision.
        float64: Small outputs of the same code in double precision; may be empty.
    """

    spec: dict[str, Any]
    float32: dict[str, np.ndarray]
    float64: dict[str, np.ndarray]

    def state_dict(self) -> dict[str, Tensor]:
        """Return the official state dict, keys in the official order."""
        return {k: official_tensor(k, tuple(s)) for k, s in self.spec['state_dict']}

    def inputs(self, name: str) -> Tensor:
        """Return the input of that name."""
        entry = next(i for i in self.spec['inputs'] if i['name'] == name)
        return official_input(entry['seed'], entry['shape'])

    def check(self, name: str, mine: Any, double: bool = False) -> None:
        """Assert that ``mine`` equals the stored output within its tolerance.

        Args:
            name: Name of the output in the spec.
            mine: Tensor, array or number.
            double: Compare with the double-precision run and its sharper bounds.
        """
        if not double and name in self.spec['tolerance'].get('unstable_in_float32', ()):
            # The official code does not agree with itself there; see double precision.
            return
        rule = self.spec['outputs'][name]
        stored = (self.float64 if double else self.float32)[name]
        if isinstance(mine, Tensor):
            mine = mine.detach().cpu().numpy()
        if rule['compare'] == 'exact':
            np.testing.assert_array_equal(mine, stored, err_msg=name)
            return
        suffix = '64' if double else ''
        np.testing.assert_allclose(
            mine,
            stored,
            rtol=rule[f'rtol{suffix}'],
            atol=rule[f'atol{suffix}'],
            err_msg=name,
        )


def _arrays(path: Path) -> dict[str, np.ndarray]:
    if not path.exists():
        return {}
    with np.load(path, allow_pickle=False) as file:
        return dict(file)


def load_golden(name: str) -> Golden:
    """Read one folder of golden vectors, or skip the test where it is absent."""
    folder = shared_path(f'golden/{name}')
    return Golden(
        spec=json.loads((folder / 'spec.json').read_text()),
        float32=_arrays(folder / 'output.npz'),
        float64=_arrays(folder / 'output_float64.npz'),
    )

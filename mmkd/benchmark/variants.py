"""Ways to compute a step: precision, order of memory, compilation."""

from dataclasses import dataclass
from typing import Any

from mmkd.errors import UserError

_PRECISIONS = {'fp32': None, 'bf16': 'bfloat16', 'fp16': 'float16'}
_EXTRAS = ('cl', 'compile')


@dataclass(frozen=True)
class Variant:
    """One way.

    Attributes:
        name: Its name, e.g. ``'bf16+cl'``.
        dtype: Precision of autocast; None computes in float32.
        channels_last: Whether kernels lie in ``channels_last_3d``.
        compiled: Whether the networks pass ``torch.compile``.
    """

    name: str
    dtype: str | None
    channels_last: bool
    compiled: bool

    @classmethod
    def parse(cls, name: str) -> 'Variant':
        """Read a precision and extras joined by ``+``.

        Raises:
            UserError: If a part is not known.
        """
        precision, *extras = name.split('+')
        if precision not in _PRECISIONS or not set(extras) <= set(_EXTRAS):
            raise UserError(
                f'{name!r} is no way to compute a step',
                f'Give one of {", ".join(_PRECISIONS)}, with +cl (channels_last_3d) '
                'or +compile behind it.',
            )
        dtype = _PRECISIONS[precision]
        return cls(name, dtype, 'cl' in extras, 'compile' in extras)

    def wrapper(self, given: dict[str, Any]) -> dict[str, Any]:
        """Return the config of an optimiser wrapper that computes so.

        Args:
            given: That of a config; its optimiser and its clipping are kept.
        """
        kept = {k: v for k, v in given.items() if k not in ('type', 'dtype')}
        kept.pop('loss_scale', None)
        if self.dtype is None:
            return {'type': 'OptimWrapper', **kept}
        return {'type': 'mmkd.AmpOptimWrapper', 'dtype': self.dtype, **kept}

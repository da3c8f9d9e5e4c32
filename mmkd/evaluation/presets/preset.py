"""What a protocol lays down."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from mmengine.config import Config

from mmkd.errors import UserError

Selection = Literal['last', 'held_out', 'test_list']


@dataclass(frozen=True)
class Preset:
    """A protocol by name, so that a number can be put into the right column.

    Attributes:
        name: Name on the command line and beside every number.
        source: Where the protocol comes from.
        clips: Clips of a video and how they are cut, in words.
        pooling: How a clip's map becomes a vector: names in
            :data:`~mmkd.evaluation.pooling.POOLINGS`. Retrieval is reported for each;
            the first one bears the plain names.
        selection: Which epoch of a fine-tuning is tested: the ``'last'``, the best on
            videos ``'held_out'`` of the training list, or the best on the
            ``'test_list'`` itself.
        lists: Which lists count, in words.
        pipeline: Test pipeline in the place of the config's. None keeps that one.
        needs: Values that the config must have, by their keys.
        fine_tune_needs: The same, for fine-tuning only.
        advice: Which config has them.
        differences: What the published figures did otherwise.
    """

    name: str
    source: str
    clips: str
    pooling: tuple[str, ...]
    selection: Selection
    lists: str
    pipeline: tuple[dict[str, Any], ...] | None = None
    needs: Mapping[str, Any] = field(default_factory=dict)
    fine_tune_needs: Mapping[str, Any] = field(default_factory=dict)
    advice: str = ''
    differences: tuple[str, ...] = ()

    def check(self, cfg: Config, fine_tune: bool) -> None:
        """Check that a config can give figures of this protocol.

        Args:
            cfg: A fine-tuning config.
            fine_tune: Whether it will be trained.

        Raises:
            UserError: If a value is another one.
        """
        needs = {**self.needs, **(self.fine_tune_needs if fine_tune else {})}
        for key, wanted in needs.items():
            found = _value(cfg, key)
            if found != wanted:
                raise UserError(
                    f'the protocol {self.name} has {key}={wanted!r}, {cfg.filename} '
                    f'has {found!r}',
                    self.advice,
                )

    def as_dict(self) -> dict[str, Any]:
        """Return what a report says of the protocol."""
        return {
            'name': self.name,
            'source': self.source,
            'clips': self.clips,
            'pooling': list(self.pooling),
            'selection': self.selection,
            'lists': self.lists,
            'differences': list(self.differences),
        }


def _value(cfg: Config, key: str) -> Any:
    value: Any = cfg
    for part in key.split('.'):
        value = value.get(part) if hasattr(value, 'get') else None
    return value

"""Decide a network's input convention by its checkpoint and its config.

All that loads weights goes through :func:`adopt_input`; programs that know nothing of
it go through torch's ``load_state_dict``, which ends in the same
:class:`DeclaredInput`.
"""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from mmengine.config import Config
from mmengine.logging import print_log
from mmengine.runner.checkpoint import _load_checkpoint
from torch import nn

from mmkd.errors import UserError
from mmkd.models.input_convention import (
    AUTO,
    CONVENTIONS,
    KEY,
    InputConvention,
    ReadsInput,
)
from mmkd.state_dicts import metadata_of, state_dict_of

Level = Literal['info', 'warning']
_LEVELS = {'info': logging.INFO, 'warning': logging.WARNING}
Pixels = Literal['weights', 'config']
_PREPROCESSOR = 'data_preprocessor'


@dataclass(frozen=True)
class DeclaredInput:
    """What a config says of the pixels of its network.

    Attributes:
        convention: The input that it names; None: that of the weights (``'auto'``).
        fallback: What is fed instead where no weights name their input; None: nothing.
        insist: Whether the named one counts also where the weights say another.
    """

    convention: InputConvention | None
    fallback: InputConvention | None = None
    insist: bool = False

    @classmethod
    def of(
        cls,
        convention: Any = AUTO,
        fallback: Any = None,
        residual: bool | None = None,
        insist: bool = False,
    ) -> 'DeclaredInput':
        """Read the arguments of a preprocessor.

        Inputs are names or values. ``residual`` says whether the named one, or the
        fallback, has residual frames; None: what its values say.

        Raises:
            UserError: If there is no such input, or ``'auto'`` insists.
        """
        if convention == AUTO and insist:
            raise UserError(
                "convention='auto' cannot insist: it takes the input of the weights",
                f'Name one of {", ".join(CONVENTIONS)}, or leave insist out.',
            )
        named = None if convention == AUTO else _read(convention, residual)
        other = None if fallback is None else _read(fallback, residual)
        return cls(named, other, insist)

    def settle(
        self, of_weights: InputConvention | None, source: str, must_agree: bool = True
    ) -> tuple[InputConvention, tuple[Level, str] | None]:
        """Decide what to feed.

        Args:
            of_weights: The input that the weights were trained with; None where they
                do not say.
            source: What messages call the weights.
            must_agree: Whether a named input has to be that of the weights unless it
                insists, as for frozen networks. Where all weights are trained further
                a name is enough. Defaults to True.

        Returns:
            The input, and how loudly to say what of it, if anything.

        Raises:
            UserError: If the weights were trained with another input, or nothing says
                which to feed.
        """
        named = self.convention
        if of_weights is None:
            if named is not None:
                return named, None
            if self.fallback is None:
                raise UserError(
                    f'{source} does not say which input the network was trained with, '
                    "and convention='auto' has no fallback",
                    'Name one: model.data_preprocessor.convention='
                    f'{"|".join(CONVENTIONS)}, or such a fallback.',
                )
            line = (
                f'{source} does not say its input convention: the fallback of the '
                f'config is fed, {self.fallback}'
            )
            return self.fallback, ('warning', line)
        if named is None:
            return of_weights, ('info', f'input as {source} was trained: {of_weights}')
        if named == of_weights:
            return named, None
        line = (
            f'{source} was trained with input convention {of_weights}, '
            f'its config feeds {named}'
        )
        if must_agree and not self.insist:
            raise UserError(
                line,
                'Take that of the weights (data_preprocessor.convention=auto), or '
                'insist on the other (data_preprocessor.insist=True).',
            )
        return named, ('warning', line)


def _read(values: Any, residual: bool | None) -> InputConvention:
    found = InputConvention.from_dict(values, 'the config')
    return found if residual is None else replace(found, residual=residual)


def say(said: tuple[Level, str] | None) -> None:
    """Log a line of :meth:`DeclaredInput.settle`."""
    if said is not None:
        print_log(said[1], 'current', _LEVELS[said[0]])


def input_of(content: Mapping[str, Any], source: str) -> InputConvention | None:
    """Return the input that the weights of a checkpoint or state dict were trained on.

    Raises:
        UserError: If its entry is not understood.
    """
    meta = content.get('meta')
    values = meta.get(KEY) if isinstance(meta, Mapping) else None
    if values is None:
        values = metadata_of(state_dict_of(content), _PREPROCESSOR).get(KEY)
    return None if values is None else InputConvention.from_dict(values, source)


def adopt_input(
    model: nn.Module, content: Mapping[str, Any], source: str, must_agree: bool = True
) -> None:
    """Feed a model what its weights, of a checkpoint, were trained with, or refuse.

    A model whose preprocessor has no convention is left alone; ``must_agree`` is that
    of :meth:`DeclaredInput.settle`.

    Raises:
        UserError: If the config feeds another input, or nothing says which.
    """
    preprocessor = getattr(model, _PREPROCESSOR, None)
    if isinstance(preprocessor, ReadsInput):
        preprocessor.adopt(input_of(content, source), source, must_agree)
        return
    fed = getattr(preprocessor, 'convention', None)
    if isinstance(fed, InputConvention):
        _, said = DeclaredInput(fed).settle(
            input_of(content, source), source, must_agree
        )
        say(said)


def settle_input(model: nn.Module) -> None:
    """Feed a model that got no checkpoint what its config says.

    That is the input of the files that its ``init_cfg`` reads, else the named one, else
    the fallback.

    Raises:
        UserError: If nothing says which, or such a file says another.
    """
    preprocessor = getattr(model, _PREPROCESSOR, None)
    if not isinstance(preprocessor, ReadsInput):
        return
    for path in _pretrained(model):
        content = _load_checkpoint(path, map_location='cpu')
        adopt_input(model, content, f'checkpoint {path}', must_agree=False)
    if preprocessor.convention is None:
        preprocessor.adopt(None, 'the random start')


def _pretrained(model: nn.Module) -> Iterator[str]:
    """Yield the files that the backbone's ``init_cfg`` reads."""
    given = getattr(getattr(model, 'backbone', None), 'init_cfg', None) or []
    for entry in [given] if isinstance(given, Mapping) else given:
        if entry.get('type') == 'Pretrained':
            yield entry['checkpoint']


def declared_by(cfg: Mapping[str, Any]) -> DeclaredInput | None:
    """Return what a whole config says; None without a preprocessor of ours.

    Of a ``Distiller`` the student counts.
    """
    node = _node(cfg)
    if node is None or not (
        'convention' in node or str(node.get('type')).startswith('mmkd.')
    ):
        return None
    names = ('convention', 'fallback', 'residual', 'insist')
    return DeclaredInput.of(**{name: node[name] for name in names if name in node})


def settled_input(
    config: Path, meta: Mapping[str, Any], source: str
) -> InputConvention | None:
    """Return the input of weights that leave this package, e.g. to be published.

    None where neither the checkpoint nor a preprocessor of ours in the config has one.

    Raises:
        UserError: If the config names another one without insisting, or nothing says
            it.
    """
    of_weights = input_of({'meta': meta, 'state_dict': {}}, source)
    declared = declared_by(Config.fromfile(config))
    if declared is None:
        return of_weights
    fed, said = declared.settle(of_weights, source)
    say(said if of_weights is None else None)
    # What is fed is another matter where a config insists.
    return of_weights or fed


def write_input(cfg: Config, model: nn.Module) -> bool:
    """Put the words for what a model is fed in place of the config's ``'auto'``.

    Returns whether the config was changed.
    """
    fed = getattr(getattr(model, _PREPROCESSOR, None), 'convention', None)
    node = _node(cfg)
    declared = declared_by(cfg)
    if node is None or fed is None or declared is None or declared.convention:
        return False
    node.pop('fallback', None)
    node.update(convention=fed.words(), residual=fed.residual)
    return True


def choose_pixels(cfg: Config, pixels: Pixels | None) -> None:
    """Let a config take the input of the weights, or insist on its own.

    Args:
        cfg: A config, changed in place.
        pixels: ``'weights'`` or ``'config'``; None leaves what it says.
    """
    node = _node(cfg)
    declared = declared_by(cfg)
    if pixels is None or node is None or declared is None:
        return
    if pixels == 'config':
        if declared.convention is None:
            if declared.fallback is None:
                raise UserError(
                    "--pixels config: the config says 'auto' and names no fallback",
                    'Name one: model.data_preprocessor.convention=NAME.',
                )
            node.update(convention=node.pop('fallback'))
        node['insist'] = True
    elif declared.convention is not None:
        node.update(convention=AUTO, fallback=node['convention'], insist=False)


def _node(cfg: Mapping[str, Any]) -> Any:
    """Return the config of the preprocessor of what is trained."""
    model = cfg.get('model') or {}
    model = model.get('student') or model
    return model.get(_PREPROCESSOR) or cfg.get(_PREPROCESSOR)

"""Record what named modules of a network return."""

import re
from collections.abc import Iterable
from difflib import get_close_matches
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from mmkd.errors import UserError

_PATH = re.compile(r'(?P<module>[^\[\]:]+)(\[(?P<index>-?\d+)\]|(?P<input>:input))?')


def find_module(network: nn.Module, path: str, whose: str) -> nn.Module:
    """Return the module at a path such as ``cls_head.fc_cls``.

    Raises:
        UserError: If there is none in what messages call ``whose``; it lists what is
            there instead.
    """
    module, found = network, ''
    for name in path.split('.'):
        children = dict(module.named_children())
        if name not in children:
            near = get_close_matches(name, children, n=1)
            known = ', '.join(children) or 'nothing'
            raise UserError(
                f'the {whose} has no module {path!r}; {found or "it"} has: {known}',
                f'Did you mean {(found + "." if found else "") + near[0]!r}?'
                if near
                else 'Name one of its modules.',
            )
        module, found = children[name], f'{found}.{name}'.lstrip('.')
    return module


class Recorder:
    """Keep the outputs of named modules while it is entered.

    A module that runs several times meanwhile (once a view) gives its outputs below
    each other. Where a later layer works in place, what it made of the output is
    recorded.

    Args:
        network: Network whose modules are meant.
        paths: E.g. ``'backbone'`` or ``'cls_head.fc_cls'``; of a module that returns
            several tensors, ``'backbone[2]'`` takes one. ``'cls_head:input'`` is the
            first thing that the module is given.
        whose: What messages call the network. Defaults to ``'network'``.

    Raises:
        UserError: If there is no module of that name.

    Example:
        >>> net = nn.Sequential(nn.Linear(2, 3), nn.ReLU())
        >>> recorder = Recorder(net, ['0'])
        >>> with recorder:
        ...     _ = net(torch.zeros(4, 2))
        >>> recorder.take()['0'].shape
        torch.Size([4, 3])
    """

    def __init__(
        self, network: nn.Module, paths: Iterable[str], whose: str = 'network'
    ) -> None:
        self.whose = whose
        self._entered = False
        self._outputs: dict[str, list[Tensor]] = {path: [] for path in paths}
        self._handles = []
        for path in self._outputs:
            match = _PATH.fullmatch(path)
            if match is None:
                raise UserError(f'{path!r} is no path of a module of the {whose}')
            index = None if match['index'] is None else int(match['index'])
            module = find_module(network, match['module'], whose)
            if match['input']:
                keep = partial(self._keep_input, path)
                self._handles.append(module.register_forward_pre_hook(keep))
            else:
                self._handles.append(
                    module.register_forward_hook(partial(self._keep, path, index))
                )

    def __enter__(self) -> 'Recorder':
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Keep outputs from now on, and forget older ones."""
        for outputs in self._outputs.values():
            outputs.clear()
        self._entered = True

    def stop(self) -> None:
        """Keep no further outputs."""
        self._entered = False

    def take(self) -> dict[str, Tensor]:
        """Hand over what was recorded, by path, and forget it.

        Raises:
            UserError: If a module did not run.
        """
        result = {}
        for path, outputs in self._outputs.items():
            if not outputs:
                raise UserError(
                    f'{path!r} of the {self.whose} exists, but did not run in training',
                    'Name a layer in it, or another module.',
                )
            result[path] = outputs[0] if len(outputs) == 1 else torch.cat(outputs)
            outputs.clear()
        return result

    def remove(self) -> None:
        """Take the hooks off the network."""
        for handle in self._handles:
            handle.remove()

    def _keep_input(self, path: str, module: nn.Module, inputs: Any) -> None:
        self._keep(path, None, module, None, inputs[0])

    def _keep(
        self, path: str, index: int | None, module: nn.Module, inputs: Any, output: Any
    ) -> None:
        if not self._entered:
            return
        several = isinstance(output, (list, tuple))
        if several and index is not None and -len(output) <= index < len(output):
            output = output[index]
        elif index is not None or not isinstance(output, Tensor):
            one = f'one {type(output).__name__}'
            what = f'{len(output)} things' if several else one
            raise UserError(
                f'{path!r} of the {self.whose}: the module returns {what}',
                f'Write {path.partition("[")[0]!r}'
                + (' with a number, as [0].' if several else '.'),
            )
        self._outputs[path].append(output)

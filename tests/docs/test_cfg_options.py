"""What the pages give to ``--cfg-options`` is there in the config that they give it to.

A key has to exist before it is overridden, or be an argument of the class at that spot.
"""

import re
from pathlib import Path
from typing import Any

import pytest
from mmengine.config import Config
from mmengine.registry import Registry

from mmkd import registry
from mmkd.engine.signatures import accepted_arguments
from tests.docs.pages import commands, mentions, pages, split_code
from tests.shared_files import ROOT

CONFIG = re.compile(r'\bconfigs/[\w/]+\.py\b')
OPTION = re.compile(r'^[A-Za-z_][\w.]*=')


def overrides(command: str) -> dict[str, str]:
    """Return the keys and values behind ``--cfg-options``."""
    found: dict[str, str] = {}
    for part in command.split('--cfg-options')[1:]:
        for word in part.split():
            if word.startswith('--') or not OPTION.match(word):
                break
            key, value = word.split('=', 1)
            found[key] = value
    return found


def class_of(name: Any) -> Any:
    for one in vars(registry).values():
        if isinstance(one, Registry) and isinstance(name, str):
            found = one.get(name)
            if found is not None:
                return found
    return None


def is_there(cfg: Config, key: str, given: dict[str, str]) -> bool:
    """Tell whether a dotted key addresses something of a config.

    Args:
        cfg: The config before any override.
        key: The dotted key.
        given: All overrides of the command, whose types count.
    """
    *parents, last = key.split('.')
    node: Any = cfg._cfg_dict
    for part in parents:
        if isinstance(node, (list, tuple)):
            named = {str(one.get('type')).split('.')[-1]: one for one in node}
            numbered = {str(number): one for number, one in enumerate(node)}
            node = {**named, **numbered}.get(part)
        else:
            node = node.get(part) if isinstance(node, dict) else None
    if isinstance(node, (list, tuple)):
        return last.isdigit() and int(last) < len(node)
    if not isinstance(node, dict):
        return False
    kind = given.get('.'.join([*parents, 'type']), node.get('type'))
    cls = class_of(kind)
    return last in node or (cls is not None and last in accepted_arguments(cls)[0])


def documented() -> list[tuple[str, str]]:
    """Return (config, command) of every documented command with overrides."""
    found = set()
    for page in pages():
        text = page.read_text()
        for command in [*commands(text), *mentions(text)]:
            config = CONFIG.search(command)
            if config and overrides(command):
                found.add((config[0], command))
    return sorted(found)


def alone() -> list[tuple[Path, str]]:
    """Return (page, span) of options that a sentence names without a command."""
    found = []
    for page in pages():
        prose = split_code(page.read_text())[0]
        for span in re.findall(r'`([^`]+)`', prose):
            words = ' '.join(span.split())
            if words.startswith('--cfg-options') and overrides(words):
                found.append((page, words))
    return found


@pytest.mark.parametrize(('config', 'command'), documented())
def test_the_keys_of_a_command_are_there(config: str, command: str) -> None:
    cfg, given = Config.fromfile(ROOT / config), overrides(command)
    assert [key for key in given if not is_there(cfg, key, given)] == []


@pytest.mark.parametrize(
    ('page', 'span'), alone(), ids=lambda x: x.stem if isinstance(x, Path) else x
)
def test_the_keys_of_a_sentence_are_those_of_a_config_of_its_page(
    page: Path, span: str
) -> None:
    text = page.read_text()
    named = {c for command in commands(text) for c in CONFIG.findall(command)}
    given = overrides(span)
    configs = [Config.fromfile(ROOT / config) for config in sorted(named)]
    assert configs, f'{page.name} names no config in a command'
    fits = [all(is_there(cfg, key, given) for key in given) for cfg in configs]
    assert any(fits)


def test_there_are_such_commands() -> None:
    assert len(documented()) > 15 and len(alone()) > 5
    keys = {key for _, command in documented() for key in overrides(command)}
    assert 'train_dataloader.dataset.targets.load.cache' in keys
    assert 'model.representations.type' in keys


def test_a_key_beside_its_mark_is_seen() -> None:
    cfg = Config.fromfile(ROOT / 'configs/human_prior/r3d_ucf101.py')
    targets = 'train_dataloader.dataset.targets'
    assert is_there(cfg, f'{targets}.load.cache', {})
    assert not is_there(cfg, f'{targets}.align.cache', {})
    assert not is_there(cfg, f'{targets}.other.cache', {})
    assert not is_there(cfg, 'model.tasks.parsing.no_such', {})
    assert is_there(cfg, 'model.tasks.parsing.stage', {})
    assert is_there(cfg, 'model.x.views', {'model.x.type': 'mmkd.Pace'}) is False
    fraction = 'train_dataloader.dataset.fraction'
    kind = {'train_dataloader.dataset.type': 'mmkd.FractionVideoDataset'}
    assert is_there(cfg, fraction, {})
    plain = Config.fromfile(ROOT / 'configs/finetune/r3d_ucf101.py')
    assert not is_there(plain, fraction, {}) and is_there(plain, fraction, kind)
    assert overrides('x --cfg-options a.b=1 c=[2] --seed 0 d=1') == {
        'a.b': '1',
        'c': '[2]',
    }

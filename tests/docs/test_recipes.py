"""The commands of the pages feed every network what its weights were trained with."""

import re
from functools import cache
from pathlib import Path

import pytest
from mmengine.config import Config

from mmkd.commands.pipeline.inputs import FedStage, follow_inputs
from mmkd.transfer.model_index import Index
from tests.docs.pages import commands, pages
from tests.shared_files import ROOT

_TOOLS = {'train.py': 'train', 'test.py': 'test', 'evaluate.py': 'evaluate'}
_CHECKPOINT = re.compile(r'work_dirs/([\w./-]+?)(?:_split\d)?/\w+\.pth')
_ZOO = 'mmkd://'


@pytest.fixture(autouse=True)
def from_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


@cache
def config(name: str) -> Config:
    return Config.fromfile(ROOT / 'configs' / f'{name}.py')


def source(checkpoint: str | None) -> str | None:
    """Return ``<method>/<config>`` of what wrote a checkpoint."""
    if checkpoint is None:
        return None
    if checkpoint.startswith(_ZOO):
        model = Index().models.get(checkpoint.removeprefix(_ZOO))
        if model is None:  # a NAME for the reader to fill in
            return None
        path = Path(model.config).with_suffix('').as_posix()
        return path.removeprefix('configs/')
    found = _CHECKPOINT.fullmatch(checkpoint)
    return found[1] if found and (ROOT / f'configs/{found[1]}.py').is_file() else None


def recipe(command: str) -> FedStage | None:
    """Return what a command trains or measures; None of other commands."""
    words = command.split()
    files = [w for w in words if w.startswith('configs/') and w.endswith('.py')]
    kind = _TOOLS.get(Path(words[1]).name) if len(words) > 1 else None
    if kind is None or not files or not (ROOT / files[0]).is_file():
        return None
    name = files[0].removeprefix('configs/').removesuffix('.py')
    options = dict(w.split('=', 1) for w in words if re.match(r'[\w.]+=', w))
    cfg = Config(config(name).to_dict(), filename=config(name).filename)
    cfg.merge_from_dict({k: v for k, v in options.items() if k.startswith('model.d')})
    if kind == 'train':
        start = options.get('load_from') or cfg.get('load_from')
        return FedStage(name, cfg, kind, source(start))
    checkpoint = words[words.index(files[0]) + 1] if files[0] != words[-1] else None
    label = f'{kind} of {checkpoint} by {name}'
    return FedStage(label, cfg, kind, source(checkpoint))


def with_origins(stage: FedStage, known: dict[str, FedStage]) -> list[FedStage]:
    """Return a stage behind those that it starts from and no command made."""
    if stage.weights is None or stage.weights in known:
        return [stage]
    cfg = config(stage.weights)
    origin = FedStage(stage.weights, cfg, 'train', source(cfg.get('load_from')))
    return [*with_origins(origin, known), stage]


def recipes(text: str) -> list[FedStage]:
    known: dict[str, FedStage] = {}
    for command in commands(text):
        stage = recipe(command)
        for one in with_origins(stage, known) if stage else ():
            known[one.name] = one
    return list(known.values())


CHAINS = [
    page for page in pages() if re.search(r'work_dirs/|mmkd://', page.read_text())
]


@pytest.mark.parametrize('page', CHAINS, ids=lambda p: str(p.relative_to(ROOT)))
def test_recipes_feed_what_the_weights_know(page: Path) -> None:
    stages = recipes(page.read_text())
    fed = follow_inputs(stages)
    for stage in stages:
        if stage.weights is not None and fed[stage.weights] is not None:
            assert fed[stage.name] == fed[stage.weights], stage.name


def test_recipes_are_found() -> None:
    stages = {stage.name: stage for stage in recipes((ROOT / 'README.md').read_text())}
    fed = follow_inputs(list(stages.values()))
    assert stages['vspp/r3d_k100'].weights == 'auxskd/r3d_k100'
    assert stages['finetune/r3d_ucf101'].weights == 'vspp/r3d_k100'
    assert str(fed['finetune/r3d_ucf101']) == "'bgr255'"
    for page in ('docs/methods/finetune.md', 'docs/methods/selfdistill.md'):
        assert 'vspp/r3d_k100' in {
            s.weights for s in recipes((ROOT / page).read_text())
        }

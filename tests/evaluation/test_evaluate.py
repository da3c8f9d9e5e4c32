"""Features and metrics of a real list, and what a wrong checkpoint says."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from mmaction.structures import ActionDataSample
from mmengine.config import Config
from mmengine.runner import Runner

from mmkd.errors import UserError
from mmkd.evaluation import evaluate
from mmkd.evaluation.evaluate import Evaluation, SplitEvaluation
from mmkd.evaluation.features import FeatureEncoder
from mmkd.evaluation.lists import feature_configs
from mmkd.evaluation.model import load_model
from mmkd.models.input_convention import get_convention
from tests.shared_files import ROOT, shared_path


@pytest.fixture
def cfg(tmp_path: Path) -> Config:
    videos = shared_path('data/ut_interaction/set1')
    names = sorted(p.stem for p in videos.glob('*.avi'))
    cfg = Config.fromfile(ROOT / 'configs/tiny/finetune_r3d_ut_interaction.py')
    parts = {'train': names[:3], 'test': names[3:5]}
    for part, clips in parts.items():
        path = tmp_path / f'{part}.txt'
        path.write_text(''.join(f'{n}.avi {n.split("_")[2]}\n' for n in clips))
        loader = cfg[f'{part}_dataloader']
        loader.dataset.update(ann_file=str(path), data_prefix={'video': str(videos)})
        loader.update(num_workers=0, persistent_workers=False, batch_size=2)
    cfg.model.data_preprocessor.residual = False
    cfg.model.backbone.base_channels = 4
    cfg.model.cls_head.in_channels = 32
    return cfg


def test_features_are_the_mean_over_clips(cfg: Config) -> None:
    model = load_model(cfg, None)
    loader = Runner.build_dataloader(feature_configs(cfg)['train'], seed=0)
    encode = FeatureEncoder(model)
    records = [record for batch in loader for record in encode(batch)]
    assert len(records) == 3 and records[0]['average'].shape == (32,)
    videos = [
        sample for batch in loader for sample in zip(*batch.values(), strict=True)
    ]
    for index, (clips, sample) in enumerate(videos):
        assert clips.shape == (5, 3, 16, 56, 56)
        assert int(sample.gt_label) == int(records[index]['label'])
        with torch.inference_mode():
            bgr = clips[:, [2, 1, 0]].float()
            twin = torch.stack(
                [model.backbone(c[None]).mean((2, 3, 4))[0] for c in bgr]
            )
        torch.testing.assert_close(
            records[index]['average'], twin.mean(0), rtol=1e-4, atol=1e-4
        )


def test_a_video_is_encoded_alone(cfg: Config) -> None:
    encode = FeatureEncoder(load_model(cfg, None), ('average', 'max'))
    generator = torch.Generator().manual_seed(0)
    samples = [ActionDataSample().set_gt_label(n) for n in range(3)]
    clips = [
        torch.randint(256, (2, 3, 8, 24, 24), dtype=torch.uint8, generator=generator)
        for _ in samples
    ]
    together = encode({'inputs': clips, 'data_samples': samples})
    for index, record in enumerate(together):
        one = {'inputs': clips[index : index + 1], 'data_samples': [samples[index]]}
        (alone,) = encode(one)
        assert int(record['label']) == index
        for form in ('average', 'max'):
            assert torch.equal(record[form], alone[form])


def test_plausible(cfg: Config, tmp_path: Path) -> None:
    found = evaluate(cfg, None, ['retrieval'], tmp_path / 'work')
    # Three training videos: five neighbours are all of them.
    assert found['R@5'] == found['R@50']
    ks = (1, 5, 10, 20, 50)
    assert list(found) == [*(f'R@{k}' for k in ks), *(f'R@{k} max' for k in ks)]


def test_checkpoints(cfg: Config, tmp_path: Path) -> None:
    path = tmp_path / 'weights.pth'
    with pytest.raises(UserError, match=r'weights\.pth does not exist'):
        load_model(cfg, str(path))
    path.write_text('no checkpoint')
    with pytest.raises(UserError, match=r'weights\.pth'):
        load_model(cfg, str(path))
    source = load_model(cfg, None, seed=1)
    weights = source.state_dict()
    # As a pre-training leaves it: its own heads beside the backbone.
    torch.save({'state_dict': {**weights, 'tasks.x.weight': torch.ones(2)}}, path)
    loaded = load_model(cfg, str(path))
    for name, value in source.backbone.state_dict().items():
        assert torch.equal(loaded.backbone.state_dict()[name], value), name
    first = weights.pop('backbone.conv1.conv.weight')
    torch.save({'state_dict': weights}, path)
    with pytest.raises(UserError, match=r'lacks or has in another shape backbone'):
        load_model(cfg, str(path))
    weights['backbone.conv1.conv.weight'] = first[:2]
    torch.save({'state_dict': weights}, path)
    with pytest.raises(UserError, match='the backbone has another shape'):
        load_model(cfg, str(path))
    weights |= {'backbone.conv1.conv.weight': first, 'backbone.more.bias': first}
    torch.save({'state_dict': weights}, path)
    with pytest.raises(UserError, match=r'another backbone: .*more\.\* \(1\)'):
        load_model(cfg, str(path))


def test_frozen_features_of_another_input_are_refused(
    cfg: Config, tmp_path: Path
) -> None:
    model = load_model(cfg, None)
    path = tmp_path / 'weights.pth'
    pixels = model.data_preprocessor.convention.as_dict()
    for changed in ({}, {'channel_order': 'RGB'}):
        meta = {'input_convention': {**pixels, **changed}}
        torch.save({'state_dict': model.state_dict(), 'meta': meta}, path)
        # The config says 'auto'.
        found = load_model(cfg, str(path)).data_preprocessor.convention
        assert found.as_dict() == meta['input_convention']
    named = copy.deepcopy(cfg)
    named.model.data_preprocessor.convention = 'bgr255'
    with pytest.raises(UserError, match=r'weights.pth was trained .* its config feeds'):
        load_model(named, str(path))
    kept = load_model(named, str(path), pixels='config').data_preprocessor
    assert kept.convention.as_dict() == pixels
    taken = load_model(named, str(path), pixels='weights').data_preprocessor
    assert taken.convention.as_dict() == meta['input_convention']


def test_the_table_of_features_names_what_was_fed(cfg: Config, tmp_path: Path) -> None:
    model = load_model(cfg, None)
    pixels = get_convention('kinetics').as_dict()
    path = tmp_path / 'weights.pth'
    meta = {'input_convention': pixels}
    torch.save({'state_dict': model.state_dict(), 'meta': meta}, path)
    folder = tmp_path / 'features'
    for asked in (None, 'config'):
        what = Evaluation(str(path), ['knn'], folder, pixels=asked)
        SplitEvaluation(cfg, None, what).features('test')
    tables = [json.loads(p.read_text())['pixels'] for p in folder.rglob('*.json')]
    fed = sorted((t['convention'], t.get('insist', False)) for t in tables)
    assert fed == [('bgr255', True), ('kinetics', False)]
    assert cfg.model.data_preprocessor.convention == 'auto'


class Malicious:
    def __reduce__(self) -> tuple[Any, tuple[str, ...]]:
        return Path.touch, (Path('ran'),)


def test_nothing_in_a_malicious_checkpoint_runs(
    cfg: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    weights = load_model(cfg, None).state_dict()
    torch.save({'state_dict': weights, 'extra': Malicious()}, 'weights.pth')
    with pytest.raises(UserError, match='refused'):
        load_model(cfg, 'weights.pth')
    assert not Path('ran').exists()

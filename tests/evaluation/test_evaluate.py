"""Features and figures of a real list, and what a wrong checkpoint says."""

from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from mmkd.errors import UserError
from mmkd.evaluation import evaluate, extract_features
from mmkd.evaluation.evaluate import feature_loaders, load_model
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
    loader = feature_loaders(cfg)['train']
    features = extract_features(model, loader, 'train')
    assert features.vectors.shape == (3, 32)
    videos = [
        sample for batch in loader for sample in zip(*batch.values(), strict=True)
    ]
    for place, (clips, sample) in enumerate(videos):
        assert clips.shape == (5, 3, 16, 56, 56)
        assert int(sample.gt_label) == int(features.labels[place])
        with torch.inference_mode():
            bgr = clips[:, [2, 1, 0]].float()
            twin = torch.stack(
                [model.backbone(c[None]).mean((2, 3, 4))[0] for c in bgr]
            )
        torch.testing.assert_close(
            features.vectors[place], twin.mean(0), rtol=1e-4, atol=1e-4
        )


def test_twice_the_same_and_plausible(cfg: Config) -> None:
    first = evaluate(cfg, None, ['retrieval'])
    assert first == evaluate(cfg, None, ['retrieval'])
    # Three training videos: five neighbours are all of them.
    assert first['R@5'] == first['R@50']
    assert set(first) == {f'R@{k}' for k in (1, 5, 10, 20, 50)}


def test_checkpoints(cfg: Config, tmp_path: Path) -> None:
    path = tmp_path / 'weights.pth'
    with pytest.raises(UserError, match=r'weights\.pth is not there'):
        load_model(cfg, str(path))
    path.write_text('no checkpoint')
    with pytest.raises(UserError, match='cannot be read safely'):
        load_model(cfg, str(path))
    source = load_model(cfg, None, seed=1)
    weights = source.state_dict()
    torch.save({'state_dict': weights}, path)
    loaded = load_model(cfg, str(path))
    assert torch.equal(
        loaded.backbone.state_dict()['conv1.conv.weight'],
        weights['backbone.conv1.conv.weight'],
    )
    del weights['backbone.conv1.conv.weight']
    torch.save({'state_dict': weights}, path)
    with pytest.raises(UserError, match=r'not hold this backbone: Missing key.*conv1'):
        load_model(cfg, str(path))

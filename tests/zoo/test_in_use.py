"""What is shipped, as a user takes it: load_from, and MMAction2's inferencer."""

from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import Compose, pseudo_collate

from mmkd.commands.prepare.synthetic.actions import CLASS_NAMES
from mmkd.commands.prepare.synthetic.dataset import Plan
from mmkd.engine.command_line import train_main
from mmkd.evaluation.model import load_whole_model
from mmkd.transfer.model_index import Index
from tests.shared_files import ROOT

CONFIG = str(ROOT / 'configs/tiny/finetune_r3d_synthetic.py')
NAME = 'mmkd://tiny_finetune_r3d_synthetic'
PRETRAINED = 'tiny_vspp_r3d_synthetic'
CLIPS = [clip for clip in Plan().clips() if clip.split == 'test'][:12]


@pytest.fixture(scope='module')
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first clips of the synthetic set's test list."""
    out = tmp_path_factory.mktemp('synthetic')
    for clip in CLIPS:
        clip.render(out, size=96, fps=25.0)
    return out


@pytest.fixture(autouse=True)
def own_zoo(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ('MMKD_ZOO', 'MMKD_INDEX'):
        monkeypatch.delenv(name, raising=False)


def test_the_inferencer_classifies_clips(videos: Path, tmp_path: Path) -> None:
    from mmaction.apis import MMAction2Inferencer

    labels = tmp_path / 'classes.txt'
    labels.write_text('\n'.join(CLASS_NAMES))
    classify = MMAction2Inferencer(
        rec=CONFIG, rec_weights=NAME, label_file=str(labels), device='cpu'
    )
    cfg = Config.fromfile(CONFIG)
    model = load_whole_model(cfg, NAME).eval()
    pipeline = Compose(cfg.test_dataloader.dataset.pipeline)
    right = 0
    for clip in CLIPS:
        path = str(clip.video(videos))
        found = classify(path)['predictions'][0]
        sample = {'filename': path, 'label': -1, 'start_index': 0, 'modality': 'RGB'}
        with torch.inference_mode():
            batch = pseudo_collate([pipeline(sample)])
            scores = model.test_step(batch)[0].pred_score.cpu()
        # The inferencer takes one clip of a sampler, the test loop the config's five.
        answer = torch.tensor(found['rec_scores'][0])
        assert answer.shape == scores.shape == (len(CLASS_NAMES),)
        right += int(scores.argmax()) == clip.action
        assert found['rec_labels'] == [[int(answer.argmax())]]
    assert right >= 6  # 8 of 12 where it was measured; 1 by chance


def test_load_from(videos: Path, tmp_path: Path) -> None:
    """A config of one's own starts from what is shipped."""
    listed = tmp_path / 'list.txt'
    listed.write_text(''.join(f'{c.name}.mp4 {c.action}\n' for c in CLIPS[:2]))
    data = f"ann_file='{listed}', data_prefix=dict(video='{videos / 'videos'}')"
    config = tmp_path / 'mine.py'
    config.write_text(
        f"_base_ = '{CONFIG}'\nload_from = 'mmkd://{PRETRAINED}'\n"
        f'train_dataloader = dict(batch_size=2, num_workers=0, '
        f'persistent_workers=False, dataset=dict({data}))\n'
        f'test_dataloader = dict(dataset=dict({data}))\n'
        'train_cfg = dict(max_epochs=1)\noptim_wrapper = dict(optimizer=dict(lr=0.0))\n'
    )
    train_main([str(config), '--work-dir', str(tmp_path / 'run'), '--seed', '0'])
    trained = torch.load(tmp_path / 'run/epoch_1.pth', weights_only=True)['state_dict']
    index = Index(ROOT / 'model-index.yml')
    file = ROOT / 'zoo' / index.find(PRETRAINED).weights[0].name
    published = torch.load(file, weights_only=True)['state_dict']
    learned = [k for k in published if k.startswith('backbone.') and 'conv.w' in k]
    assert len(learned) > 10
    for name in learned:
        assert torch.equal(trained[name], published[name].float()), name

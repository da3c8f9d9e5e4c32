"""The shipped pipeline of RSPNet on real clips."""

import random

import numpy as np
import pytest
from mmaction.datasets import VideoDataset
from mmengine.config import Config
from mmengine.registry import DefaultScope

from mmkd.datasets import pipeline_steps
from tests.datasets.transforms.clips import CLIPS
from tests.shared_files import ROOT, shared_path


def load(clip, tmp_path, seed):
    path = shared_path(clip)
    (tmp_path / 'list.txt').write_text(f'{path.name} -1\n')
    cfg = Config.fromfile(ROOT / 'configs/rspnet/r3d_ucf101.py')
    pipeline = pipeline_steps(cfg.train_dataloader.dataset)
    pipeline[-1]['meta_keys'] = ('filename', 'view_records', 'frame_inds')
    with DefaultScope.overwrite_default_scope('mmaction'):
        prefix = {'video': str(path.parent)}
        data = VideoDataset(str(tmp_path / 'list.txt'), pipeline, prefix)
    random.seed(seed)
    np.random.seed(seed)
    return data[0]


@pytest.mark.parametrize('clip', CLIPS)
def test_the_two_keys_share_all_draws_and_the_query_does_not(clip, tmp_path):
    other_draws = 0
    for seed in range(4):
        packed = load(clip, tmp_path, seed)
        views, data_sample = packed['inputs'], packed['data_samples']
        assert views.shape == (3, 3, 16, 112, 112)
        query, same, other = data_sample.view_records
        boxes = [r['crop_bbox'].tolist() for r in (query, same, other)]
        assert boxes[1] == boxes[2]
        assert same['flip'] == other['flip']
        other_draws += boxes[0] != boxes[1]
        # Frames that both keys show must be equal after all augmentation.
        frames = data_sample.frame_inds.reshape(3, 16).tolist()
        shared = set(frames[1]) & set(frames[2])
        assert len(shared) >= 8
        for frame in shared:
            ours = views[1][:, frames[1].index(frame)]
            assert (ours == views[2][:, frames[2].index(frame)]).all()
        speeds = data_sample.view_labels.speed.tolist()
        assert speeds[0] == speeds[1] != speeds[2]
    assert other_draws == 4

"""The protocol of RSPNet."""

from mmkd.evaluation.presets.clips import RSPNET_CLIPS
from mmkd.evaluation.presets.preset import Preset

RSPNET = Preset(
    name='rspnet',
    source='released code of RSPNet, https://arxiv.org/abs/2011.07949',
    clips='ten of 16 frames, from the first frame to the last; the largest centre '
    'square at 112 x 112; features and logits averaged over them',
    pooling=('average',),
    selection='test_list',
    lists='test videos query the training videos of the same split; the epoch of a '
    'fine-tuning is CHOSEN ON THE TEST LIST, as the published figures are: not to be '
    'compared with figures of the other protocols',
    pipeline=RSPNET_CLIPS,
    fine_tune_needs={
        'train_dataloader.dataset.type': 'VideoDataset',
        'optim_wrapper.optimizer.weight_decay': 0.0001,
    },
    advice='Take configs/finetune/<network>_<data>.py, or c3d_<data>_rspnet.py.',
    differences=(
        'training videos of the retrieval go through the test pipeline; the released '
        'code crops and flips them at random and drops the last batch',
        "the released code averages the map; the paper's supplement says max-pooling",
        'S3D-G sees 64 x 224 x 224: take the protocol ours, with its clips',
        'linear probe and kNN: ours',
    ),
)

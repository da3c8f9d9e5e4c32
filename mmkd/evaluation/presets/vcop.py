"""The protocol of VCOP."""

from mmkd.evaluation.presets.clips import VCOP_CLIPS
from mmkd.evaluation.presets.preset import Preset

VCOP = Preset(
    name='vcop',
    source='released code of VCOP (Xu et al., CVPR 2019)',
    clips='ten of 16 frames, evenly spread; 171 x 128, the centre 112 x 112; features '
    'and logits averaged over them',
    pooling=('max',),
    selection='held_out',
    lists='test videos query the training videos of the same split; the epoch of a '
    'fine-tuning is chosen on 800 (UCF101) or 400 (HMDB51) training videos',
    pipeline=VCOP_CLIPS,
    fine_tune_needs={
        'train_cfg.max_epochs': 150,
        'train_dataloader.batch_size': 8,
        'train_dataloader.dataset.type': 'mmkd.SplitVideoDataset',
        'optim_wrapper.optimizer.lr': 0.001,
        'optim_wrapper.optimizer.weight_decay': 0.0005,
    },
    advice='Take configs/finetune/<network>_<data>_vcop.py.',
    differences=(
        'all videos count; the released code loses the last incomplete batch (7 of '
        '3783 queries and 1 of 9537 training videos of UCF101, split 1)',
        'which videos are held out, and an epoch judged by one centre clip: ours',
        'linear probe and kNN: ours, on averaged maps',
    ),
)

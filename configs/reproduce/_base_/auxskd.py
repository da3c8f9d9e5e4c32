# What the experiments of auxSKD share: R3D of width 8, auxSKD itself, and
# how its products are tuned and looked at. Ours.
_base_ = './synthetic.py'
held_out = dict(
    ann_file='data/synthetic/test.txt',
    interval=5,
    tasks=['skd', 'vspp', 'order', 'pace', 'rsp'],
)
SMALL = {**_base_.FAST, 'model.backbone.base_channels': 8}
# After 40 epochs, the config's own number, no arm has converged at this width. Half the
# frames of the same time, for three times as many.
CLIP = 'dataset.pipeline.SampleFrames'
FRAMES = dict(clip_len=8, frame_interval=6)
TUNED = {
    **SMALL,
    **_base_.FINETUNE_48,
    **{f'train_dataloader.{CLIP}.{k}': v for k, v in FRAMES.items()},
    **{f'test_dataloader.{CLIP}.{k}': v for k, v in FRAMES.items()},
    'model.cls_head.in_channels': 64,
    'test_dataloader.batch_size': 16,
    'train_cfg.max_epochs': 120,
    'param_scheduler.0.T_max': 120,
}
FINETUNE = dict(config='../../tiny/finetune_r3d_synthetic.py', options=TUNED)
FROZEN = dict(kind='evaluate', protocols=['retrieval', 'linear'], **FINETUNE)
# The epochs of the config: with fewer, most of the teacher would be its random start.
AUXSKD = {**SMALL, **_base_.PRETRAIN_48}
stages = dict(
    auxskd=dict(config='../../tiny/auxskd_r3d_synthetic.py', options=AUXSKD),
)

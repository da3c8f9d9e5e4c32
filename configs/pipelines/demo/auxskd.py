# auxSKD of the demonstration: the tiny config with half the frames, 48 pixels, half the
# batch and watched. 540 steps, in which a teacher of momentum 0.99 leaves its random
# start behind (0.4 % of it are left); its gate opens (docs/gates.md).
_base_ = ['../../tiny/auxskd_r3d_synthetic.py', './watch.py']
_base_.knn.interval = 12
videos = dict(
    views=dict(clip_len=8, frame_interval=4),
    resize=dict(scale=(54, 54)),
    augment=dict(crop=dict(size=48)),
)
train_dataloader = dict(batch_size=16, dataset=videos)
default_hooks = dict(online_knn=_base_.knn)
train_cfg = dict(max_epochs=36)
param_scheduler = [dict(type='CosineAnnealingLR', T_max=36, by_epoch=True)]

# VSPP of the demonstration: the tiny config with 48 pixels, shorter and watched on
# held-out videos.
_base_ = ['../../tiny/vspp_r3d_synthetic.py', './watch.py']
_base_.knn.interval = 4
held_out = dict(type='mmkd.HeldOutPretextHook', ann_file='data/synthetic/test.txt')
held_out.update(tasks=['vspp'], interval=4)
videos = dict(resize=dict(scale=(54, 54)), augment=dict(crop=dict(size=48)))
train_dataloader = dict(dataset=videos)
default_hooks = dict(online_knn=_base_.knn, held_out=held_out)
train_cfg = dict(max_epochs=12)
param_scheduler = [dict(type='CosineAnnealingLR', T_max=12, by_epoch=True)]

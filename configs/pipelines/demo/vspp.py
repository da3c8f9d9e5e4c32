# VSPP of the demonstration: the tiny config, shorter and watched on held-out videos.
_base_ = ['../../tiny/vspp_r3d_synthetic.py', './watch.py']
held_out = dict(type='mmkd.HeldOutPretextHook', ann_file='data/synthetic/test.txt')
held_out.update(tasks=['vspp'], interval=5)
default_hooks = dict(online_knn=_base_.knn, held_out=held_out)
train_cfg = dict(max_epochs=15)
param_scheduler = [dict(type='CosineAnnealingLR', T_max=15, by_epoch=True)]

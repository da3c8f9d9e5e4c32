# auxSKD of the demonstration: the tiny config, shorter and watched.
_base_ = ['../../tiny/auxskd_r3d_synthetic.py', './watch.py']
default_hooks = dict(online_knn=_base_.knn)
train_cfg = dict(max_epochs=12)
param_scheduler = [dict(type='CosineAnnealingLR', T_max=12, by_epoch=True)]

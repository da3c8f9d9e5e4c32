# auxSKD of the demonstration: the tiny config, shorter and watched.
_base_ = ['../../tiny/auxskd_r3d_synthetic.py', './watch.py']
default_hooks = dict(online_knn=_base_.knn)
train_cfg = dict(max_epochs=10)
param_scheduler = [dict(type='CosineAnnealingLR', T_max=10, by_epoch=True)]

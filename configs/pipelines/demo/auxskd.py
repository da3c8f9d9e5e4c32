# auxSKD of the demonstration: the tiny config, watched.
_base_ = ['../../tiny/auxskd_r3d_synthetic.py', './watch.py']
default_hooks = dict(online_knn=_base_.knn)

# RSPNet, C3D, Kinetics-100, from a backbone of auxSKD (ours). It goes on with the
# pixels of auxSKD, BGR 0..255, and so does fine-tuning after it.
_base_ = './c3d_k100.py'
load_from = 'work_dirs/auxskd/c3d_k100/epoch_18.pth'
model = dict(data_preprocessor=dict(convention='auto', fallback='bgr255'))
# Ours: from the rate of auxSKD, 0.001, up to that of RSPNet in five epochs.
param_scheduler = [
    dict(type='LinearLR', start_factor=0.02, end=5),
    dict(type='CosineAnnealingLR', T_max=195, eta_min_ratio=0.001, begin=5, end=200),
]

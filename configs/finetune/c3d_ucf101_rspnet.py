# Fine-tuning, C3D, UCF101, with RSPNet's values for C3D (two GPUs of 20 clips).
_base_ = './c3d_ucf101.py'
train_dataloader = dict(batch_size=40)
optim_wrapper = dict(optimizer=dict(lr=0.005))
param_scheduler = [dict(type='CosineAnnealingLR', T_max=30, eta_min_ratio=0.001)]
auto_scale_lr = dict(base_batch_size=40)

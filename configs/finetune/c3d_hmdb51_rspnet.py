# Fine-tuning, C3D, HMDB51, with RSPNet's values for C3D (two GPUs of 6 clips).
_base_ = './c3d_hmdb51.py'
train_dataloader = dict(batch_size=12)
train_cfg = dict(max_epochs=100)
optim_wrapper = dict(optimizer=dict(lr=0.005))
param_scheduler = [dict(type='MultiStepLR', milestones=[50, 70, 90], gamma=0.1)]
auto_scale_lr = dict(base_batch_size=12)

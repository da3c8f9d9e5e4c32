# Fine-tuning, C3D, UCF101, with RSPNet's values for C3D (two GPUs of 20 clips);
# --split 1, 2 or 3. Give load_from a checkpoint.
_base_ = [
    '../_base_/models/c3d.py',
    '../_base_/datasets/ucf101.py',
    '../_base_/methods/finetune.py',
    '../_base_/default_runtime.py',
]
model = dict(
    type='Recognizer3D',
    data_preprocessor=_base_.data_preprocessor,
    cls_head=dict(
        in_channels=_base_.feature_channels,
        num_classes=_base_.num_classes,
        **_base_.head,
    ),
)
train_dataloader = dict(batch_size=40, dataset=dict(**_base_.train_list))
test_dataloader = dict(dataset=dict(**_base_.test_list))
optim_wrapper = dict(optimizer=dict(lr=0.005))
param_scheduler = [dict(type='CosineAnnealingLR', T_max=30, eta_min_ratio=0.001)]
auto_scale_lr = dict(base_batch_size=40)

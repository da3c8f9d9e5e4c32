# Fine-tuning, ResNet-18 of RSPNet, HMDB51, with its values (two GPUs of 64 clips);
# --split 1, 2 or 3. Give load_from a checkpoint. The released schedule falls at epochs
# 50, 70 and 90 and stops at 30: the learning rate is constant. Three test clips.
_base_ = [
    '../_base_/models/resnet18_rspnet.py',
    '../_base_/datasets/hmdb51.py',
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
test_pipeline = [
    dict(type='mmkd.OpenVideo'),
    dict(type='mmkd.EvenClips', clip_len=16, num_clips=3),
    dict(type='mmkd.DecodeViews'),
    dict(type='Resize', scale=(-1, 112)),
    dict(type='CenterCrop', crop_size=112),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs'),
]
train_dataloader = dict(batch_size=128, dataset=dict(**_base_.train_list))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline, **_base_.test_list))
optim_wrapper = dict(optimizer=dict(lr=0.01))
param_scheduler = []  # of milestones that 30 epochs do not reach, see above
auto_scale_lr = dict(base_batch_size=128)

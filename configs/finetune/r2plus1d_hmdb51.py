# Fine-tuning, R(2+1)D, HMDB51; --split 1, 2 or 3. Give load_from a checkpoint.
_base_ = [
    '../_base_/models/r2plus1d.py',
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
train_dataloader = dict(dataset=dict(**_base_.train_list))
test_dataloader = dict(dataset=dict(**_base_.test_list))

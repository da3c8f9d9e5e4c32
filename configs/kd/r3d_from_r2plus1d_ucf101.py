# Classic distillation, R3D from a fine-tuned R(2+1)D, UCF101; split 1 on both sides.
_base_ = ['../finetune/r3d_ucf101.py', '../_base_/methods/kd.py']
data_preprocessor = None  # the student has it; MMEngine would give it to the Distiller
model = dict(
    _delete_=True,
    type='mmkd.Distiller',
    student=_base_.model,
    teacher=dict(
        type='mmkd.FrozenTeacher',
        config='configs/finetune/r2plus1d_ucf101.py',
        checkpoint='work_dirs/finetune/r2plus1d_ucf101/epoch_30.pth',
    ),
    losses=_base_.distill_losses,
)

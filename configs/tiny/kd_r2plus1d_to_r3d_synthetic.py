# Classic distillation at laptop size: R3D of width 8 from R(2+1)D of width 16, the
# synthetic figures. Train the teacher first: finetune_r2plus1d_synthetic.py. Ours.
_base_ = ['./finetune_r3d_synthetic.py', '../_base_/methods/kd.py']
student = _base_.model
student.backbone.base_channels = 8
student.cls_head.in_channels = 64
losses = _base_.distill_losses
losses.feature.connector = dict(type='mmkd.LinearConnector')
data_preprocessor = None  # the student has it; MMEngine would give it to the Distiller
model = dict(
    _delete_=True,
    type='mmkd.Distiller',
    student=student,
    teacher=dict(
        type='mmkd.FrozenTeacher',
        config='configs/tiny/finetune_r2plus1d_synthetic.py',
        checkpoint='work_dirs/tiny/finetune_r2plus1d_synthetic/epoch_40.pth',
    ),
    losses=losses,
)

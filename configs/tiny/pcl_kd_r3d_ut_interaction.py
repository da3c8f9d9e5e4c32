# KD-boosted PCL(VCP) at laptop size: R3D of width 8 from width 16,
# real video. Ours. Train the teacher first: pcl_vcp_r3d_ut_interaction.py.
_base_ = ['./pcl_vcp_r3d_ut_interaction.py', '../_base_/methods/pcl_kd.py']
student = _base_.model
student.backbone.base_channels = 8
model = dict(
    _delete_=True,
    type='mmkd.Distiller',
    student=student,
    teacher=dict(
        type='mmkd.FrozenTeacher',
        config='configs/tiny/pcl_vcp_r3d_ut_interaction.py',
        checkpoint='work_dirs/tiny/pcl_vcp_r3d_ut_interaction/epoch_40.pth',
        tasks=['vcp'],
    ),
    losses=_base_.distill_losses,
)
train_dataloader = dict(dataset=_base_.subset)

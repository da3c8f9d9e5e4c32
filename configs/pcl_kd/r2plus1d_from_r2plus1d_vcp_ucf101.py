# KD-boosted PCL(VCP), R(2+1)D from R(2+1)D, UCF101.
_base_ = ['../pcl/r2plus1d_vcp_ucf101.py', '../_base_/methods/pcl_kd.py']
model = dict(
    _delete_=True,
    type='mmkd.Distiller',
    student=_base_.model,
    teacher=dict(
        type='mmkd.FrozenTeacher',
        config='configs/pcl/r2plus1d_vcp_ucf101.py',
        checkpoint='work_dirs/pcl/r2plus1d_vcp_ucf101/epoch_200.pth',
        tasks=['vcp'],
    ),
    losses=_base_.distill_losses,
)
train_dataloader = dict(dataset=_base_.subset)

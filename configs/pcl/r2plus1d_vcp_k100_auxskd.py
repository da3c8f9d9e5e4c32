# PCL(VCP) after auxSKD (phase 1), R(2+1)D, Kinetics-100.
_base_ = './r2plus1d_vcp_k100.py'
load_from = 'work_dirs/auxskd/r2plus1d_k100/epoch_18.pth'
# Ours: the pixels that phase 1 was trained with, not PCL's normalised differences.
model = dict(
    data_preprocessor=dict(convention='auto', fallback='bgr255', residual=False)
)
# Ours: from the rate of auxSKD, 0.001, up to that of PCL in five epochs.
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, end=5),
    dict(type='MultiStepLR', milestones=[36, 51], gamma=0.1),
]

# Fine-tuning at laptop size, R(2+1)D: the teacher of
# kd_r2plus1d_to_r3d_synthetic.py. Ours.
_base_ = './finetune_r3d_synthetic.py'
model = dict(backbone=dict(type='mmkd.R2Plus1D'))

# VCOP after auxSKD (phase 1), R(2+1)D, Kinetics-100.
_base_ = './r2plus1d_k100.py'
load_from = 'work_dirs/auxskd/r2plus1d_k100/epoch_18.pth'
# Ours: the pixels that phase 1 was trained with, not VCOP's RGB in 0..1.
model = dict(data_preprocessor=dict(convention='auto', fallback='bgr255'))

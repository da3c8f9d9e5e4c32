# VideoPace after auxSKD (phase 1), R(2+1)D, Kinetics-100.
_base_ = './r2plus1d_k100.py'
load_from = 'work_dirs/auxskd/r2plus1d_k100/epoch_18.pth'

# RSPNet, R(2+1)D, Kinetics-100, from a backbone of auxSKD (ours). It goes on with the
# pixels of auxSKD, BGR 0..255; give fine-tuning the same convention.
_base_ = './r2plus1d_k100.py'
load_from = 'work_dirs/auxskd/r2plus1d_k100/epoch_18.pth'
model = dict(data_preprocessor=dict(convention='bgr255'))

# mc3_18 of torchvision, 11.5 M parameters: only stem and first stage reach over time.
_base_ = './r3d_18.py'
model = dict(backbone=dict(inflate=(1, 0, 0, 0), temporal_strides=(1, 1, 1, 1)))

# R(2+1)D of the clip-order family: R3D with factored convolutions and shortcuts, a mid
# width for each; 14.4 M parameters.
_base_ = './r3d.py'
model = dict(backbone=dict(type='mmkd.R2Plus1D'))

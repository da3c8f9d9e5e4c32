# KD-boosted PCL, the larger form: R3D of width 64 teaches R3D and C3D of 32. Ours.
_base_ = ['../laptop/kd_pcl.py', '../_base_/gpu.py']
videos = dict(short_side=128)

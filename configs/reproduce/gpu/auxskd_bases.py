# Other bases after auxSKD, the larger form: R3D of width 32. Ours.
_base_ = ['../laptop/auxskd_bases.py', '../_base_/gpu.py']
videos = dict(short_side=128)

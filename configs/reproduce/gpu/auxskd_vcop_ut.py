# VCOP after auxSKD on UT-Interaction, the larger form: R3D of width 32. Ours.
_base_ = ['../laptop/auxskd_vcop_ut.py', '../_base_/gpu.py']
videos = dict(short_side=128)

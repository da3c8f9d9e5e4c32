# Self-distilled fine-tuning, the larger form: R3D of width 64. Ours.
_base_ = ['../laptop/epoch_teacher.py', '../_base_/gpu.py']
videos = dict(short_side=128)

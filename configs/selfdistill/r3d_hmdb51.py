# Self-distilled fine-tuning, R3D, HMDB51. Give load_from a pre-trained checkpoint.
_base_ = ['../finetune/r3d_hmdb51.py', '../_base_/methods/selfdistill.py']
custom_hooks = [_base_.epoch_teacher, *_base_.custom_hooks]

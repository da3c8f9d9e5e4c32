# Self-distilled fine-tuning, C3D, UCF101. Give load_from a pre-trained checkpoint.
_base_ = ['../finetune/c3d_ucf101.py', '../_base_/methods/selfdistill.py']
custom_hooks = [_base_.epoch_teacher, *_base_.custom_hooks]

# Self-distilled fine-tuning, R(2+1)D, UCF101. Give load_from a pre-trained checkpoint.
_base_ = ['../finetune/r2plus1d_ucf101.py', '../_base_/methods/selfdistill.py']
custom_hooks = [_base_.epoch_teacher, *_base_.custom_hooks]

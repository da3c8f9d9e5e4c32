# Self-distilled fine-tuning at laptop size, the synthetic figures. Ours.
_base_ = ['./finetune_r3d_synthetic.py', '../_base_/methods/selfdistill.py']
custom_hooks = [_base_.epoch_teacher, *_base_.custom_hooks]

# Self-distilled fine-tuning at laptop size, real video. Ours.
_base_ = ['./finetune_r3d_ut_interaction.py', '../_base_/methods/selfdistill.py']
custom_hooks = [_base_.epoch_teacher, *_base_.custom_hooks]

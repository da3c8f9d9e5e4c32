# Human prior at laptop size: R3D of width 16, 56 pixels, the synthetic figures with the
# exact maps that they were rendered with. Ours. Once before, on rendered videos:
#   python tools/teacher/extract.py configs/human_parsers/synthetic.py \
#       data/synthetic/unlabelled.txt data/synthetic/maps/exact
_base_ = ['./rspnet_r3d_synthetic.py', '../_base_/methods/human_prior.py']
_base_.targets.load.cache = 'data/synthetic/maps/exact'
_base_.parsing_task.parsing.label_set = 'synthetic'
train_dataloader = dict(dataset=dict(targets=_base_.targets))
model = dict(tasks=_base_.parsing_task, representations=_base_.representations)
_base_.gradient_conflict.interval = 30
custom_hooks = [_base_.gradient_conflict, *_base_.custom_hooks]

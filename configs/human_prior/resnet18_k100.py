# Human prior, ResNet-18, Kinetics-100: RSPNet's config and a parsing task.
_base_ = ['../rspnet/resnet18_k100.py', '../_base_/methods/human_prior.py']
_base_.targets.load.cache = 'data/kinetics100/maps/schp_lip'
train_dataloader = dict(dataset=dict(targets=_base_.targets))
model = dict(tasks=_base_.parsing_task, representations=_base_.representations)
custom_hooks = [_base_.gradient_conflict, *_base_.custom_hooks]

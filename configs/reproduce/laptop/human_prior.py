# Human prior: contrast alone and together with parsing, on one feature and on features
# of their own. The maps are the exact ones of the rendered figures; make them first:
#   python tools/teacher/extract.py configs/human_parsers/synthetic.py \
#       data/synthetic/unlabelled.txt data/synthetic/maps/exact
_base_ = '../_base_/synthetic.py'
claim = (
    'Distilling a human parser beside the contrast, on task-dependent features, '
    'pre-trains better than the contrast alone, and than both on one feature.'
)
# On real video 360 steps, in which a teacher of momentum 0.99 forgets its start.
SHORT = {**_base_.FAST, 'train_cfg.max_epochs': 40, 'param_scheduler.0.T_max': 40}
TUNED = {**_base_.FAST, 'train_cfg.max_epochs': 20, 'param_scheduler.0.T_max': 20}
FINETUNE = dict(
    config='../../tiny/finetune_r3d_synthetic.py',
    options={**_base_.FINETUNE_48, **TUNED},
)
RETRIEVAL = dict(kind='evaluate', protocols=['retrieval'], **FINETUNE)
METHOD, FORM = 'human_prior_r3d_synthetic', 'model.representations.type'
SCALE = {'train_dataloader.dataset.augment.resize.scale': (48, 48)}
STARTS = [  # stage, row of the table, config, options
    ('contrast', 'contrast only (RSPNet)', 'rspnet_r3d_synthetic', SCALE),
    ('shared', 'both, shared features', METHOD, {FORM: 'mmkd.SharedFeature', **SCALE}),
    ('split', 'both, split channels', METHOD, {FORM: 'mmkd.SplitChannels', **SCALE}),
    ('own', 'both, own last stage', METHOD, SCALE),
]
stages, arms = {}, {}
for name, row, config, options in STARTS:
    stages[name] = dict(config=f'../../tiny/{config}.py', options={**SHORT, **options})
    stages[f'{name}_retrieval'] = dict(weights=name, **RETRIEVAL)
    stages[f'{name}_finetune'] = dict(weights=name, **FINETUNE)
    stages[f'{name}_test'] = dict(kind='test', weights=f'{name}_finetune', **FINETUNE)
    arms[row] = [
        name,
        *(f'{name}_{step}' for step in ('retrieval', 'finetune', 'test')),
    ]
ROWS = [row for _, row, _, _ in STARTS]
comparisons = [(row, 'contrast only (RSPNet)') for row in ROWS[1:]]
comparisons += [(row, 'both, shared features') for row in ROWS[2:]]

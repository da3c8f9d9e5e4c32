# Human prior: contrast and parsing, alone and together, on one feature and on features
# of their own. The maps are the exact ones of the rendered figures; make them first:
#   python tools/teacher/extract.py configs/human_parsers/synthetic.py \
#       data/synthetic/unlabelled.txt data/synthetic/maps/exact
claim = (
    'Distilling a human parser beside the contrast, on task-dependent features, '
    'pre-trains better than the contrast alone, and than both on one feature.'
)
videos = dict(
    prefix='data/synthetic/videos',
    lists=[f'data/synthetic/{name}.txt' for name in ('unlabelled', 'train', 'test')],
    short_side=64,
)
TINY = '../../tiny'
SHORT = {'train_cfg.max_epochs': 16, 'param_scheduler.0.T_max': 16}
SHARED = {**SHORT, 'model.representations.type': 'mmkd.SharedFeature'}
TUNED = {
    'train_dataloader.dataset.pipeline.4.scale': (48, 48),
    'test_dataloader.dataset.pipeline.3.scale': (48, 48),
    'train_cfg.max_epochs': 20,
    'param_scheduler.0.T_max': 20,
}
FINETUNE = dict(config=f'{TINY}/finetune_r3d_synthetic.py', options=TUNED)
METHOD = f'{TINY}/human_prior_r3d_synthetic.py'
stages = dict(
    contrast=dict(config=f'{TINY}/rspnet_r3d_synthetic.py', options=SHORT),
    parsing=dict(
        config=f'{TINY}/human_prior_r3d_synthetic_parsing_only.py', options=SHORT
    ),
    shared=dict(config=METHOD, options=SHARED),
    own=dict(config=METHOD, options=SHORT),
)
arms = {}
for start in ('contrast', 'parsing', 'shared', 'own'):
    found, tuned, tested = f'{start}_retrieval', f'{start}_finetune', f'{start}_test'
    retrieval = dict(kind='evaluate', weights=start, protocols=['retrieval'])
    stages[found] = dict(**retrieval, **FINETUNE)
    stages[tuned] = dict(weights=start, **FINETUNE)
    stages[tested] = dict(kind='test', weights=tuned, **FINETUNE)
    arms[start] = [start, found, tuned, tested]
arms = {
    'contrast only (RSPNet)': arms['contrast'],
    'parsing only': arms['parsing'],
    'both, shared features': arms['shared'],
    'both, task-dependent features': arms['own'],
}
comparisons = [
    ('both, task-dependent features', 'contrast only (RSPNet)'),
    ('both, task-dependent features', 'both, shared features'),
    ('both, shared features', 'contrast only (RSPNet)'),
    ('parsing only', 'contrast only (RSPNet)'),
]

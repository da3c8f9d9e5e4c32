# VSPP with and without auxSKD before it, and no pre-training at all. Ours.
_base_ = '../_base_/synthetic.py'
claim = 'VSPP fine-tunes better than scratch, and better still where auxSKD came first.'
held_out = dict(
    ann_file='data/synthetic/test.txt',
    interval=5,
    tasks=['vspp', 'order', 'pace', 'rsp'],
)
# bfloat16 and this order of memory halve a step where the CPU computes in it.
SMALL = {
    'optim_wrapper.type': 'mmkd.AmpOptimWrapper',
    'memory_format': 'channels_last_3d',
    'model.backbone.base_channels': 8,
}
# After 40 epochs, the config's own number, no arm has converged at this width.
TUNED = {
    **SMALL,
    **_base_.FINETUNE_48,
    'model.cls_head.in_channels': 64,
    'test_dataloader.batch_size': 16,
    'train_cfg.max_epochs': 120,
    'param_scheduler.0.T_max': 120,
}
FINETUNE = dict(config='../../tiny/finetune_r3d_synthetic.py', options=TUNED)
FROZEN = dict(kind='evaluate', protocols=['retrieval', 'linear'], **FINETUNE)
AUXSKD = {**SMALL, **_base_.PRETRAIN_48, 'train_cfg.max_epochs': 15}
VSPP = {**SMALL, 'train_cfg.max_epochs': 20, 'param_scheduler.0.T_max': 20}
for key, value in _base_.PRETRAIN_48.items():
    VSPP[key.replace('dataset', 'dataset.dataset', 1)] = value
AUXSKD['param_scheduler.0.T_max'] = 15
PRIMARY = dict(config='../../tiny/vspp_r3d_synthetic.py', options=VSPP)
stages = dict(
    auxskd=dict(config='../../tiny/auxskd_r3d_synthetic.py', options=AUXSKD),
    vspp=PRIMARY,
    auxskd_vspp=dict(weights='auxskd', **PRIMARY),
)
arms = {}
for row, start in (
    ('scratch', {}),
    ('VSPP', dict(weights='vspp')),
    ('auxSKD, then VSPP', dict(weights='auxskd_vspp')),
):
    name = start.get('weights', 'scratch')
    stages[f'{name}_frozen'] = dict(**start, **FROZEN)
    stages[f'{name}_finetune'] = dict(**start, **FINETUNE)
    stages[f'{name}_test'] = dict(kind='test', weights=f'{name}_finetune', **FINETUNE)
    arms[row] = [*start.values(), *(f'{name}_{end}' for end in ('frozen', 'finetune'))]
    arms[row].append(f'{name}_test')
comparisons = [('VSPP', 'scratch'), ('auxSKD, then VSPP', 'VSPP')]

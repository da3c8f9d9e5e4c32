# VSPP with and without auxSKD before it, and no pre-training at all. Ours.
_base_ = '../_base_/auxskd.py'
claim = 'VSPP fine-tunes better than scratch, and better still where auxSKD came first.'
EPOCHS = {'train_cfg.max_epochs': 20, 'param_scheduler.0.T_max': 20}
VSPP = {**EPOCHS, **_base_.SMALL, **_base_.PRETRAIN_48}
PRIMARY = dict(config='../../tiny/vspp_r3d_synthetic.py', options=VSPP)
stages = dict(vspp=PRIMARY, auxskd_vspp=dict(weights='auxskd', **PRIMARY))
arms = {}
for row, start in (
    ('scratch', {}),
    ('VSPP', dict(weights='vspp')),
    ('auxSKD, then VSPP', dict(weights='auxskd_vspp')),
):
    name = start.get('weights', 'scratch')
    tuned = dict(weights=f'{name}_finetune', **_base_.FINETUNE)
    stages[f'{name}_frozen'] = dict(**start, **_base_.FROZEN)
    stages[f'{name}_finetune'] = dict(**start, **_base_.FINETUNE)
    stages[f'{name}_test'] = dict(kind='test', **tuned)
    arms[row] = [*start.values(), *(f'{name}_{end}' for end in ('frozen', 'finetune'))]
    arms[row].append(f'{name}_test')
comparisons = [('VSPP', 'scratch'), ('auxSKD, then VSPP', 'VSPP')]

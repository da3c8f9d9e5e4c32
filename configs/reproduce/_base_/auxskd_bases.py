# Other bases than VSPP, each with and without auxSKD before it. Ours.
_base_ = './auxskd.py'
claim = 'VCOP, VideoPace and RSPNet fine-tune better where auxSKD came first.'
CROP = _base_.PRETRAIN_48
# All arms of VCOP see the pixels of auxSKD, so that auxSKD can come before one.
BGR = {'model.data_preprocessor.convention': 'bgr255'}
WHOLE = {'train_dataloader.dataset.augment.resize.scale': (48, 48)}
stages, arms, comparisons = {}, {}, []
for task, title, epochs, geometry in (
    ('vcop', 'VCOP', 60, {**CROP, **BGR}),
    ('pace', 'VideoPace', 20, CROP),
    ('rspnet', 'RSPNet', 40, WHOLE),
):
    options = {**_base_.SMALL, **geometry}
    options |= {'train_cfg.max_epochs': epochs, 'param_scheduler.0.T_max': epochs}
    primary = dict(config=f'../../tiny/{task}_r3d_synthetic.py', options=options)
    for name, row, start in (
        (task, title, {}),
        (f'auxskd_{task}', f'auxSKD, then {title}', dict(weights='auxskd')),
    ):
        tuned = dict(weights=f'{name}_finetune', **_base_.FINETUNE)
        stages[name] = dict(**start, **primary)
        stages[f'{name}_frozen'] = dict(weights=name, **_base_.FROZEN)
        stages[f'{name}_finetune'] = dict(weights=name, **_base_.FINETUNE)
        stages[f'{name}_test'] = dict(kind='test', **tuned)
        arms[row] = [name, *(f'{name}_{s}' for s in ('frozen', 'finetune', 'test'))]
    comparisons.append((f'auxSKD, then {title}', title))

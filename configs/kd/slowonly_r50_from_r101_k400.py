# Classic distillation on MMAction2's own definitions: SlowOnly R50 from R101, K400.
_base_ = [
    'mmaction::recognition/slowonly/slowonly_r50_8xb16-8x8x1-256e_kinetics400-rgb.py',
    '../_base_/methods/kd.py',
]
custom_imports = dict(imports=['mmkd'], allow_failed_imports=False)
name = 'slowonly_r101_8xb16-8x8x1-196e_kinetics400-rgb'
zoo = 'https://download.openmmlab.com/mmaction/v1.0/recognition/slowonly'
model = dict(
    _delete_=True,
    type='mmkd.Distiller',
    student=_base_.model,
    teacher=dict(
        type='mmkd.FrozenTeacher',
        config=f'mmaction::recognition/slowonly/{name}.py',
        checkpoint=f'{zoo}/{name}/{name}_20220901-e6281431.pth',
    ),
    losses=_base_.distill_losses,
)
custom_hooks = [dict(type='mmkd.LoadReportHook'), dict(type='mmkd.TeacherHashHook')]

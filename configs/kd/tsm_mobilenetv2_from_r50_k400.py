# Classic distillation on MMAction2's own definitions: TSM MobileNetV2 from R50, K400;
# class distributions only.
_base_ = [
    'mmaction::recognition/tsm/'
    'tsm_imagenet-pretrained-mobilenetv2_8xb16-1x1x8-100e_kinetics400-rgb.py',
    '../_base_/methods/kd.py',
]
custom_imports = dict(imports=['mmkd'], allow_failed_imports=False)
name = 'tsm_imagenet-pretrained-r50_8xb16-1x1x8-100e_kinetics400-rgb'
zoo = 'https://download.openmmlab.com/mmaction/v1.0/recognition/tsm'
model = dict(
    _delete_=True,
    type='mmkd.Distiller',
    student=_base_.model,
    teacher=dict(
        type='mmkd.FrozenTeacher',
        config=f'mmaction::recognition/tsm/{name}.py',
        checkpoint=f'{zoo}/{name}/{name}_20220831-a6db1e5d.pth',
    ),
    losses=dict(logits=_base_.distill_losses.logits),
)
custom_hooks = [dict(type='mmkd.LoadReportHook'), dict(type='mmkd.TeacherHashHook')]

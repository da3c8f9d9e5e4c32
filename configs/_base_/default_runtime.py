# What every config shares: MMAction2's runtime, and the hooks of this package.
_base_ = 'mmaction::_base_/default_runtime.py'

custom_imports = dict(imports=['mmkd'], allow_failed_imports=False)

# Pre-training has no validation to choose a best checkpoint by; a config that
# validates says default_hooks=dict(checkpoint=dict(save_best='auto')).
default_hooks = dict(checkpoint=dict(save_best=None))

custom_hooks = [
    dict(type='mmkd.LoadReportHook'),
    dict(type='mmkd.InputConventionHook'),
    dict(type='mmkd.TeacherHashHook'),
    dict(type='mmkd.BadVideosHook'),
    dict(type='mmkd.NonFiniteHook'),
    dict(type='mmkd.CollapseHook'),
    dict(type='mmkd.ResumePlaceHook'),
    dict(type='mmkd.ResumeScheduleHook'),
    dict(type='mmkd.ThroughputHook'),
    dict(type='mmkd.ProgressBarHook'),
    dict(type='mmkd.StopHook'),
]

# Without a GPU, gloo takes the place of nccl by itself.
env_cfg = dict(dist_cfg=dict(backend='nccl'))

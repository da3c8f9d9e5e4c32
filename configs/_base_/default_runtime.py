# What every config shares: MMAction2's runtime, and the hooks of this package.
_base_ = 'mmaction::_base_/default_runtime.py'

custom_imports = dict(imports=['mmkd'], allow_failed_imports=False)

# Besides MMEngine's. An option is changed by name (default_hooks.health.gate.patience=
# 3000), a hook is left out by None; one in custom_hooks replaces that of its type here.
default_hooks = dict(
    # Pre-training has no validation to choose a best checkpoint by; a config that
    # validates says default_hooks=dict(checkpoint=dict(save_best='auto')).
    checkpoint=dict(save_best=None),
    # Weights load without a word where they do not fit, or were trained on other
    # pixels, on the videos of the test, or with another teacher.
    weights=dict(
        type='mmkd.HookGroup',
        load_report=dict(type='mmkd.LoadReportHook'),
        input_convention=dict(type='mmkd.InputConventionHook'),
        training_list=dict(type='mmkd.TrainingListHook'),
        teacher_hash=dict(type='mmkd.TeacherHashHook'),
    ),
    # One damaged video in a hundred thousand must not end a run.
    bad_videos=dict(type='mmkd.BadVideosHook'),
    # A loss that falls does not tell that anything is learnt.
    health=dict(
        type='mmkd.HookGroup',
        non_finite=dict(type='mmkd.NonFiniteHook'),
        collapse=dict(type='mmkd.CollapseHook'),
        gate=dict(type='mmkd.GateHook'),
    ),
    # How fast it is, what it waits for, and how long it takes yet.
    progress=dict(
        type='mmkd.HookGroup',
        throughput=dict(type='mmkd.ThroughputHook'),
        bar=dict(type='mmkd.ProgressBarHook'),
    ),
    # Jobs are preempted: a run stops with nothing lost, and goes on as if unbroken.
    resume=dict(
        type='mmkd.HookGroup',
        place=dict(type='mmkd.DataloaderStateHook'),
        schedule=dict(type='mmkd.ResumeScheduleHook'),
        stop=dict(type='mmkd.PreemptionHook'),
    ),
)

# For hooks of a single config: custom_hooks = [*_base_.custom_hooks, dict(...)].
custom_hooks = []

# Without a GPU, gloo replaces nccl by itself.
env_cfg = dict(dist_cfg=dict(backend='nccl'))

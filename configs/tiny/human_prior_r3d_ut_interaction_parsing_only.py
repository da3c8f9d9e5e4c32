# The parsing task alone on real video: no contrast, no teacher, one feature. Ours.
_base_ = './human_prior_r3d_ut_interaction.py'
model = dict(
    tasks=dict(_delete_=True, parsing=_base_.model.tasks.parsing),
    teachers=None,
    representations=dict(type='mmkd.SharedFeature'),
)
custom_hooks = []  # one task alone has no gradients that conflict

# The parsing task alone, to compare with: no contrast, no teacher, one feature. Ours.
_base_ = './human_prior_r3d_synthetic.py'
model = dict(
    tasks=dict(_delete_=True, **_base_.parsing_task),
    teachers=None,
    representations=dict(type='mmkd.SharedFeature'),
)
custom_hooks = []  # one task alone has no gradients that conflict

# Self-distilled fine-tuning: the encoder of the last epoch teaches that of this one.
# The paper's values are not known to us: every one here is ours. All options, and how
# to change them from the command line: docs/methods/selfdistill.md.
epoch_teacher = dict(
    type='mmkd.EpochTeacherHook',
    target='pooled',
    loss=dict(type='mmkd.FeatureDistance', distance='cosine'),
    weight=1.0,
    ramp_epochs=0,
    first_epoch=1,
    teacher='last_epoch',
    mode='eval',
)

# KD-boosted PCL(VCP): beside PCL's own losses, the relative entropy to the softened
# pretext logits of a teacher that was trained by PCL. Temperature, weight and which
# output is compared are not known to us and are ours; docs/methods/pcl_kd.md.
distill_losses = dict(
    pretext=dict(
        student='tasks.vcp.classifier',
        loss=dict(type='mmkd.SoftTargetKL', temperature=4.0),
    )
)
# Share of the training videos of each class; the same videos for the same seed.
subset = dict(fraction=1.0, seed=0)

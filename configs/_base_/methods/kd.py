# Classic distillation between recognizers: class distributions and pooled features.
# Soft targets as Hinton et al. have them; temperature and weights are ours.
distill_losses = dict(
    logits=dict(
        student='cls_head', loss=dict(type='mmkd.SoftTargetKL', temperature=4.0)
    ),
    feature=dict(
        student='backbone',
        pool=True,
        loss=dict(type='mmkd.FeatureDistance', distance='cosine'),
    ),
)

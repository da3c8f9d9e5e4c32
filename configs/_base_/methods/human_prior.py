# Human prior: what is added to a config of RSPNet, so that a human parser is distilled
# beside its contrast, each on a representation of its own. Of the paper the abstract
# only is known to us: every value here is ours; docs/methods/human_prior.md.
parsing_task = dict(
    parsing=dict(
        type='mmkd.ParsingDistill',
        label_set='lip',
        form='kl',
        background_weight=0.1,
        # Cells without a person teach where nobody is; background_weight bounds them.
        mask='frames',
        # Compare with conflict/ratio in the log: 1 / ratio brings both gradients level.
        loss_weight=1.0,
    )
)
# mmkd.SharedFeature and mmkd.SplitChannels are the other forms.
representations = dict(type='mmkd.OwnLastStage', tasks=('parsing',))
# The maps that follow the pixels; each config names the folder of its data set.
targets = dict(
    load=dict(type='mmkd.LoadPartMaps', cache='data/SET/maps/schp_lip'),
    align=dict(type='mmkd.AlignPartMaps', size=56),
)
# Log the cosine between the gradients of the two kinds of task on the trunk.
gradient_conflict = dict(type='mmkd.GradientConflictHook', interval=50)

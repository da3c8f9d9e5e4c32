"""Our own protocol: nothing is chosen on the test list."""

from mmkd.evaluation.presets.preset import Preset

OURS = Preset(
    name='ours',
    source='ours',
    clips="those of the config's test data loader (ten, the centre square, in the "
    'full-size configs); features and logits averaged over them',
    pooling=('average', 'max'),
    selection='held_out',
    lists='all videos of both lists; the epoch of a fine-tuning is chosen on a tenth '
    'of the training list, drawn with seed 632 (or on what the config holds out)',
)

# VCOP with and without auxSKD before it, on real video, where it is learned:
# UT-Interaction, set 1 against set 2. Ours.
_base_ = '../_base_/auxskd_bases.py'
void = dict(
    before='2026-11-30',
    measures=['R@1 %', 'R@5 %', 'linear %'],
    reason='the frozen networks were fed BGR 0..255 and had been trained on RGB 0..1 '
    "(VCOP), so that the clips' features were nearly alike; what they gave is of no "
    'worth. For the same reason auxSKD, then VCOP changed its pixels between the '
    'phases, and both arms before fine-tuning. Since then all stages see BGR 0..255; '
    'not run again yet.',
)
claim = 'VCOP fine-tunes better where auxSKD came first.'
data = 'ut_interaction'
KEPT = {k: v for k, v in _base_.stages.items() if k == 'auxskd' or 'vcop' in k}
stages = dict(_delete_=True, **KEPT)
ROWS = {row: names for row, names in _base_.arms.items() if 'VCOP' in row}
arms = dict(_delete_=True, **ROWS)
comparisons = [pair for pair in _base_.comparisons if 'VCOP' in pair]

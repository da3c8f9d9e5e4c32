# VCOP with and without auxSKD before it, on real video, where it is learned:
# UT-Interaction, set 1 against set 2. Ours.
_base_ = '../_base_/auxskd_bases.py'
claim = 'VCOP fine-tunes better where auxSKD came first.'
data = 'ut_interaction'
KEPT = {k: v for k, v in _base_.stages.items() if k == 'auxskd' or 'vcop' in k}
stages = dict(_delete_=True, **KEPT)
ROWS = {row: names for row, names in _base_.arms.items() if 'VCOP' in row}
arms = dict(_delete_=True, **ROWS)
comparisons = [pair for pair in _base_.comparisons if 'VCOP' in pair]

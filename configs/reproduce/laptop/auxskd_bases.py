# VideoPace and RSPNet with and without auxSKD before them. VCOP is not learned on the
# rendered figures, whose cameras move evenly: auxskd_vcop_ut.py has it. Ours.
_base_ = '../_base_/auxskd_bases.py'
claim = 'VideoPace and RSPNet fine-tune better where auxSKD came first.'
KEPT = {k: v for k, v in _base_.stages.items() if 'vcop' not in k}
stages = dict(_delete_=True, **KEPT)
ROWS = {row: names for row, names in _base_.arms.items() if 'VCOP' not in row}
arms = dict(_delete_=True, **ROWS)
comparisons = [pair for pair in _base_.comparisons if 'VCOP' not in pair]

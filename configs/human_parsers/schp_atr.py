# SCHP, ResNet-101, trained on ATR: 18 labels, fashion; input 512 x 512.
# Weights (code MIT, weights through the links of its README, 267 MB):
# https://github.com/GoGoDuck912/Self-Correction-Human-Parsing
parser = dict(
    type='mmkd.SCHP',
    checkpoint='data/teachers/schp/exp-schp-201908301523-atr.pth',
    label_set='atr',
)

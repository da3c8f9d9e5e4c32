# SCHP, ResNet-101, trained on LIP: 20 labels, clothes and limbs; input 473 x 473.
# Weights (code MIT, weights through the links of its README, 267 MB):
# https://github.com/GoGoDuck912/Self-Correction-Human-Parsing
parser = dict(
    type='mmkd.SCHP',
    checkpoint='data/teachers/schp/exp-schp-201908261155-lip.pth',
    label_set='lip',
)

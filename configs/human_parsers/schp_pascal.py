# SCHP, ResNet-101, trained on Pascal-Person-Part: 7 labels, no left or right; input
# 512 x 512.
# Weights (code MIT, weights through the links of its README, 267 MB):
# https://github.com/GoGoDuck912/Self-Correction-Human-Parsing
parser = dict(
    type='mmkd.SCHP',
    checkpoint='data/teachers/schp/exp-schp-201908270938-pascal-person-part.pth',
    label_set='pascal_person_part',
)

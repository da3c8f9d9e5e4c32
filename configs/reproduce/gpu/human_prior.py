# Human prior, the larger form: R3D of width 64. Ours. Make the maps first:
#   python tools/teacher/extract.py configs/human_parsers/synthetic_160.py \
#       data/synthetic_160/unlabelled.txt data/synthetic_160/maps/exact
_base_ = ['../laptop/human_prior.py', '../_base_/gpu.py']
videos = dict(short_side=128)

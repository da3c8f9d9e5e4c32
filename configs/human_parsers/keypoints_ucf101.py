# Ready keypoints of UCF101 (Faster R-CNN and HRNet-w32), drawn as maps.
# File: ucf101_hrnet.pkl of
# https://github.com/kennymckormick/pyskl/blob/main/tools/data/README.md
# made an .npz by the line in docs/human_parsers.md
parser = dict(
    type='mmkd.KeypointFileParser',
    file='data/teachers/keypoints/ucf101_hrnet.npz',
)

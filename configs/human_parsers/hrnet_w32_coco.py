# HRNet-w32 of mmpose, top-down, 17 joints; the whole frame is taken for one person.
# Needs mmpose and compiled mmcv, see requirements/mmpose.txt.
# Weights (Apache-2.0 project; 110 MB): the row of this config on
# https://mmpose.readthedocs.io/en/latest/model_zoo/body_2d_keypoint.html
parser = dict(
    type='mmkd.PoseParser',
    config='mmpose::body_2d_keypoint/topdown_heatmap/coco/'
    'td-hm_hrnet-w32_8xb64-210e_coco-256x192.py',
    checkpoint='data/teachers/mmpose/'
    'td-hm_hrnet-w32_8xb64-210e_coco-256x192-81c58e40_20220909.pth',
)

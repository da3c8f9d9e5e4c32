# The same on real video, UT-Interaction, with BodyPix's maps. Ours. Make them first:
#   python tools/teacher/extract.py configs/human_parsers/bodypix_s16.py \
#       data/ut_interaction/pretrain.txt data/ut_interaction/maps/bodypix --stride 4
_base_ = './human_prior.py'
data = 'ut_interaction'
# All others together take two cores about 100 minutes.
extra = True

# The same on real video: UT-Interaction, set 1 against set 2. Ours.
_base_ = './kd_pcl.py'
data = 'ut_interaction'
# All others together take two cores about 100 minutes.
extra = True

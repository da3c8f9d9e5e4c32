"""Real clips that several tests read."""

UCF101 = 'data/standard_clips/ucf101/v_Basketball_g01_c01.avi'
UT_OTHER = 'data/ut_interaction/set1_other/100_4_6.avi'
#: Starts with empty packets: decord seeks wrongly in these two.
UT_SET1 = 'data/ut_interaction/set1/0_1_4.avi'
UT_SET2 = 'data/ut_interaction/set2/15_13_3.avi'
CLIPS = (UCF101, UT_SET1)

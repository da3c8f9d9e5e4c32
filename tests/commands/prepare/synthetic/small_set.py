"""Parameters of the small set that the tests share."""

from mmkd.commands.prepare.synthetic.actions import CLASS_NAMES

SMALL = {'train_per_class': 5, 'test_per_class': 1, 'unlabelled': 2, 'size': 32}
CLIPS = 6 * len(CLASS_NAMES) + 2

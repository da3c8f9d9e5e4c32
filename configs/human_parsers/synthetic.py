# The exact maps of the synthetic set, which tools/data/prepare.py renders with it.
parser = dict(type='mmkd.LabelMapParser', folder='data/synthetic/maps')

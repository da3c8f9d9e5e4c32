# The exact maps of the larger synthetic set of the gpu preset (docs/reproduce.md).
_base_ = './synthetic.py'
parser = dict(folder='data/synthetic_160/maps')

# The exact maps of the larger synthetic set of the gpu preset, which
# tools/data/prepare.py renders with it (docs/reproduce.md has the command).
_base_ = './synthetic.py'
parser = dict(folder='data/synthetic_160/maps')

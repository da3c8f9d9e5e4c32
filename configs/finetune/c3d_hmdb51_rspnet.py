# The name says whose values they are; those of c3d_hmdb51.py.
_base_ = './c3d_hmdb51.py'

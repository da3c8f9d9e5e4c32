# The name says whose values they are; those of c3d_ucf101.py.
_base_ = './c3d_ucf101.py'

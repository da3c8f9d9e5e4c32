# How much larger the gpu preset is than the laptop's: the papers' clips (16 frames of
# 112 pixels), four times the channels (64 for the R3D of one block a stage), twice the
# epochs. Ours. The synthetic set is rendered larger, and more of it: docs/reproduce.md.
larger = dict(pixels=112, frames=16, width=4, epochs=2)
folders = {'data/synthetic': 'data/synthetic_160'}

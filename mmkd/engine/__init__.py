"""Run a config: command lines, preflight checks, runner, hooks, loading of weights."""

import os

from mmkd.processes import leave_out_current_folder

# Idle threads of the CPU kernels sleep instead of spinning, unless told else; GNU
# OpenMP reads this once, when torch is imported. Measured on two cores that other
# processes kept busy (step of the tiny R3D, 16 clips, 20 November 2026): 2.2 and 2.8 s
# spinning, 0.4 and 0.7 s sleeping.
os.environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')
leave_out_current_folder()

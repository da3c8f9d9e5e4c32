"""Make MMAction2 lists from the official files of a data set and a user's videos."""

from mmkd.datasets.preparation.commands import prepare_command
from mmkd.datasets.preparation.entries import UNLABELLED, Entry, Plan, VideoList
from mmkd.datasets.preparation.hmdb51 import read_hmdb51
from mmkd.datasets.preparation.judging import MIN_FRAMES
from mmkd.datasets.preparation.kinetics100 import read_kinetics100
from mmkd.datasets.preparation.kinetics400 import read_kinetics400
from mmkd.datasets.preparation.preparing import Options, prepare
from mmkd.datasets.preparation.report import Report
from mmkd.datasets.preparation.ucf101 import read_ucf101
from mmkd.datasets.preparation.ut_interaction import read_ut_interaction

__all__ = [
    'MIN_FRAMES',
    'UNLABELLED',
    'Entry',
    'Options',
    'Plan',
    'Report',
    'VideoList',
    'prepare',
    'prepare_command',
    'read_hmdb51',
    'read_kinetics100',
    'read_kinetics400',
    'read_ucf101',
    'read_ut_interaction',
]

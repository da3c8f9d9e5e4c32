"""A named pipe where a file belongs is refused or left out, not waited for."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from mmkd.commands.doctor.machine_checks import check_data
from mmkd.commands.prepare.official_lists import read_text
from mmkd.commands.report.features import class_names
from mmkd.commands.reproduce import read_experiment, write_evidence
from mmkd.commands.reproduce.evidence import kept_remarks
from mmkd.commands.transcode.journal import Journal
from mmkd.engine.hooks.bad_videos import read_bad_videos
from mmkd.errors import UserError
from mmkd.evaluation.lists import describe_list, listed_videos
from mmkd.files import NotRegularError, sha256
from mmkd.methods.human_prior.part_maps.extractor import open_source
from mmkd.zoo.publish import _log
from tests.shared_files import ROOT


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    path = tmp_path / 'classes.txt'
    os.mkfifo(path)
    return path


@pytest.mark.parametrize(
    'read',
    [
        lambda path: listed_videos({'ann_file': str(path)}),
        lambda path: describe_list({'ann_file': str(path)}),
        lambda path: open_source(path, 'a'),
        read_text,
        _log,
    ],
)
def test_it_is_refused(pipe, read):
    with pytest.raises(UserError, match=r'(not a|no) regular file'):
        read(pipe)


def test_it_is_not_hashed(pipe):
    with pytest.raises(NotRegularError):
        sha256(pipe)


def test_a_journal_is_refused(pipe):
    with pytest.raises(NotRegularError):
        Journal(pipe)


def test_metrics_of_an_experiment_are_refused(tmp_path):
    folder = tmp_path / 'auxskd'
    folder.mkdir()
    os.mkfifo(folder / 'figures.json')
    experiment = read_experiment(ROOT / 'configs/reproduce/laptop/auxskd_bases.py')
    experiment = replace(experiment, name='auxskd')
    with pytest.raises(UserError, match=r'figures\.json cannot be read'):
        write_evidence([experiment], tmp_path, tmp_path / 'page.md')


def test_it_is_left_out(pipe):
    assert kept_remarks(pipe) == {}
    assert class_names(pipe.with_name('train.txt'), 2) == ['class 0', 'class 1']
    assert read_bad_videos(pipe) == {}


def test_the_doctor_names_it(tmp_path):
    (tmp_path / 'ucf101/videos').mkdir(parents=True)
    os.mkfifo(tmp_path / 'ucf101/train_split1.txt')
    (finding,) = check_data(tmp_path)
    assert 'train_split1.txt cannot be read: not a regular file' in finding.text

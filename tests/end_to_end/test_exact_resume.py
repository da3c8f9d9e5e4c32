"""For each tiny config: stopped and resumed gives the run that was never stopped."""

from pathlib import Path

import pytest

from mmkd.engine.hooks.preemption import StoppedBySignal
from tests.engine.micro_runs import differences, load, micro_config, run, write_videos
from tests.shared_files import ROOT

CONFIGS = sorted((ROOT / 'configs/tiny').glob('*_synthetic.py'))


@pytest.fixture(scope='module')
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp('micro')
    write_videos(folder)
    return folder


@pytest.fixture(params=CONFIGS, ids=lambda path: path.stem, scope='module')
def straight(request, project):
    """A config, and its run of six steps that nothing disturbed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project)
        work_dir = project / request.param.stem
        run(micro_config(request.param, work_dir))
    return request.param, work_dir


@pytest.mark.parametrize(
    ('workers', 'later'), [(2, 0), pytest.param(0, 2, marks=pytest.mark.slow)]
)
def test_stopped_and_resumed_is_straight(
    straight: tuple[Path, Path],
    workers: int,
    later: int,
    tmp_path: Path,
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Resumed at the border of the epochs, stopped in the middle of the second.

    The straight run has no workers, the first resumed part as many as the parameter
    says, and the last part another number.
    """
    path, reference = straight
    monkeypatch.chdir(project)
    with pytest.raises(StoppedBySignal) as stopped:
        cfg = micro_config(path, tmp_path, workers)
        run(cfg, resume=reference / 'epoch_1.pth', stop_at=3)
    assert stopped.value.code == 143
    assert (tmp_path / 'last_checkpoint').read_text() == 'interrupted.pth'
    assert not (tmp_path / 'epoch_2.pth').exists()

    run(micro_config(path, tmp_path, later), resume=tmp_path / 'interrupted.pth')
    expected, found = load(reference / 'epoch_2.pth'), load(tmp_path / 'epoch_2.pth')
    assert expected['counts'] == {'epoch': 2, 'iter': 6, 'seed': 7}
    assert differences(expected, found) == []
    before = load(reference / 'epoch_1.pth')
    assert differences(before['state_dict'], found['state_dict'])
    assert not (tmp_path / 'interrupted.pth').exists()

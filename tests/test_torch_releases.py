import pytest
import torch

from mmkd.engine.runner import ResumableRunner
from mmkd.torch_releases import conv3d_warning, warning_of_this_machine
from tests.engine.toy import ToyNet


@pytest.mark.parametrize(
    ('release', 'cudnn', 'said'),
    [
        ('2.9.0+cu128', 91002, 'without cuDNN'),
        ('2.9.0+cu130', 91501, 'without cuDNN'),
        ('2.9.1+cu128', 91002, 'without cuDNN'),
        ('2.9.1', 91500, None),
        ('2.8.0', 91002, 'wrongly'),
        ('2.8.0', 90701, None),
        ('2.8.0', 91100, None),
        ('2.10.0', 91002, None),
        ('2.13.0+cpu', None, None),
        ('2.9.0+cpu', None, None),
    ],
)
def test_which_pairs_are_warned_of(release, cudnn, said):
    warning = conv3d_warning(release, cudnn)
    assert warning is None if said is None else said in warning
    if said:
        assert release in warning and str(cudnn) in warning


def test_the_gpu_at_hand_is_looked_at(monkeypatch):
    assert torch.cuda.is_available() or warning_of_this_machine() is None
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    monkeypatch.setattr(torch.backends.cudnn, 'version', lambda: 91002)
    monkeypatch.setattr(torch, '__version__', '2.9.1+cu128')
    assert warning_of_this_machine() == conv3d_warning('2.9.1+cu128', 91002)


def test_a_run_says_so_at_its_start(tmp_path, monkeypatch):
    name = 'mmkd.engine.runner.warning_of_this_machine'
    monkeypatch.setattr(name, lambda: 'torch is ill')
    ResumableRunner(ToyNet(), str(tmp_path), experiment_name='release')
    (log,) = tmp_path.glob('*/*.log')
    assert 'WARNING - torch is ill' in log.read_text()

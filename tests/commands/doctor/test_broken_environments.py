"""``tools/doctor.py`` in environments that are broken in one way each."""

import re
from pathlib import Path

import pytest

from tests.commands.doctor.broken_site import BrokenSite


def status_of(report: str, name: str) -> str:
    """Return the status of a line of the report."""
    match = re.search(rf'^(ok|warn|fail) +{re.escape(name)}  ', report, re.M)
    assert match, report
    return match.group(1)


def remedy_of(report: str, name: str) -> str:
    """Return what the report says to type for a line."""
    lines = report.splitlines()
    at = next(i for i, x in enumerate(lines) if re.match(rf'\w+ +{re.escape(name)}', x))
    assert '->' in lines[at + 1], report
    return lines[at + 1].partition('-> ')[2]


TORCH = """
__version__ = {version!r}
class version: cuda = {cuda!r}; hip = None
class backends:
    class cudnn: version = staticmethod(lambda: {cudnn!r})
class cuda: is_available = staticmethod(lambda: False)
"""


def torch(version: str, cuda: str | None = None, cudnn: int | None = None) -> str:
    return TORCH.format(version=version, cuda=cuda, cudnn=cudnn)


def test_nothing_installed(site: BrokenSite) -> None:
    code, report = site.examine()
    assert code == 1
    failed = re.findall(r'^fail +(.*?)  ', report, re.M)
    assert failed == (
        ['torch', 'mmengine', 'mmcv-lite', 'mmaction2', 'import mmkd', 'NumPy']
        + ['OpenCV', 'decord', 'av', 'rich', 'safetensors', 'filelock', 'pyyaml']
        + ['jinja2']
    )
    assert remedy_of(report, 'mmaction2') == 'pip install mmaction2==1.2.0'
    lines = report.splitlines()
    for at, line in enumerate(lines):
        if line.startswith(('fail ', 'warn ')):
            assert lines[at + 1].strip().startswith('-> ')


def test_torch_lacks_a_library(site: BrokenSite) -> None:
    site.module('torch', "raise OSError('libcudnn.so.9: cannot open shared object')")
    code, report = site.examine('--only', 'torch')
    assert code == 1
    assert 'OSError: libcudnn.so.9: cannot open shared object' in report
    assert remedy_of(report, 'torch').startswith('pip install torch==')


def test_torch_crashes_the_process(site: BrokenSite) -> None:
    site.module('torch', 'import os, signal; os.kill(os.getpid(), signal.SIGSEGV)')
    code, report = site.examine('--only', 'torch', 'disk')
    assert code == 1
    assert 'the process was killed by SIGSEGV' in report
    assert 'GB free' in report


def test_torch_is_too_old(site: BrokenSite) -> None:
    site.module('torch', torch('1.13.1'))
    code, report = site.examine('--only', 'torch')
    assert code == 1
    assert '1.13.1 is older than 2.4' in report


def test_torch_and_cudnn_are_an_ill_pair(site: BrokenSite) -> None:
    site.module('torch', torch('2.9.1+cu128', '12.8', 91002))
    code, report = site.examine('--only', 'torch')
    assert (code, status_of(report, 'Conv3d')) == (0, 'warn')
    assert 'computes 3D convolutions without cuDNN' in report


@pytest.mark.parametrize(
    ('cuda', 'status', 'text'),
    [
        ('12.8', 'fail', 'torch is built for CUDA 12.8 and sees no GPU'),
        (None, 'warn', 'this torch is built for the CPU only'),
    ],
)
def test_torch_does_not_see_the_gpu(
    site: BrokenSite, cuda: str | None, status: str, text: str
) -> None:
    tool = site.folder / 'bin' / 'nvidia-smi'
    tool.parent.mkdir()
    tool.write_text('#!/bin/sh\n')
    tool.chmod(0o755)
    site.path = str(tool.parent)
    site.module('torch', torch('2.13.0', cuda))
    code, report = site.examine('--only', 'torch')
    assert (code, status_of(report, 'GPU')) == (int(status == 'fail'), status)
    assert text in report


def test_torchvision_of_another_build(site: BrokenSite) -> None:
    site.distribution('torchvision', '0.20.0')
    error = 'operator torchvision::nms does not exist'
    site.module('torchvision', f'raise RuntimeError({error!r})')
    code, report = site.examine('--only', 'torchvision')
    assert (code, status_of(report, 'torchvision')) == (0, 'warn')
    assert error in report


def test_mmcv_is_too_new(site: BrokenSite) -> None:
    site.distribution('mmcv-lite', '2.2.0')
    code, report = site.examine('--only', 'openmmlab')
    assert (code, status_of(report, 'mmcv-lite')) == (1, 'fail')
    assert 'mmcv-lite 2.2.0, needed: >=2.1.0,<2.2.0' in report
    wanted = 'pip uninstall -y mmcv-lite && pip install mmcv-lite==2.1.0'
    assert remedy_of(report, 'mmcv-lite') == wanted


def test_two_distributions_of_mmcv(site: BrokenSite) -> None:
    site.distribution('mmcv-lite', '2.1.0').distribution('mmcv', '2.1.0')
    code, report = site.examine('--only', 'openmmlab')
    assert code == 1
    assert 'several deliver one module: mmcv-lite 2.1.0, mmcv 2.1.0' in report
    assert remedy_of(report, 'mmcv-lite').startswith('pip uninstall -y mmcv-lite mmcv')


def test_an_upstream_package_leaves_at_import(site: BrokenSite) -> None:
    site.module('mmengine').module('mmcv', 'raise SystemExit(3)')
    code, report = site.examine('--only', 'openmmlab')
    assert code == 1
    assert 'import mmcv: the process left with status 3' in report


def test_numpy_is_older_than_it_claims(site: BrokenSite) -> None:
    site.distribution('numpy', '2.4.6')
    arange = 'class arange:\n def __init__(s, n): pass\n def sum(s): return 6\n'
    site.module('numpy', arange + "__version__ = '1.26.4'")
    code, report = site.examine('--only', 'numpy')
    assert code == 1
    assert '1.26.4 is imported, but 2.4.6 is listed as installed' in report


def test_two_releases_of_opencv(site: BrokenSite) -> None:
    site.distribution('opencv-python', '4.11.0.86')
    site.distribution('opencv-contrib-python', '5.0.0.93')
    site.module('cv2', "__version__ = '5.0.0'\nresize = 1")
    code, report = site.examine('--only', 'opencv')
    assert (code, status_of(report, 'OpenCV builds')) == (1, 'fail')
    assert status_of(report, 'OpenCV') == 'ok'
    assert remedy_of(report, 'OpenCV builds').startswith('pip uninstall -y opencv-')


def test_opencv_lacks_libgl(site: BrokenSite) -> None:
    text = 'libGL.so.1: cannot open shared object file: No such file or directory'
    site.module('cv2', f'raise ImportError({text!r})')
    code, report = site.examine('--only', 'opencv')
    assert code == 1
    assert remedy_of(report, 'OpenCV  ').startswith('apt-get install libgl1')


def test_opencv_was_hollowed_out(site: BrokenSite) -> None:
    (site.folder / 'cv2' / 'data').mkdir(parents=True)
    code, report = site.examine('--only', 'opencv')
    assert code == 1
    assert 'the folder cv2 is hollow' in report


@pytest.mark.parametrize('version', ['82.0.0', None])
def test_setuptools_without_pkg_resources(
    site: BrokenSite, version: str | None
) -> None:
    if version:
        site.distribution('setuptools', version)
    code, report = site.examine('--only', 'setuptools')
    assert (code, status_of(report, 'setuptools')) == (0, 'warn')
    assert remedy_of(report, 'setuptools') == 'pip install "setuptools<82"'
    assert status_of(report, 'importlib_metadata') == 'warn'


def test_decord_is_of_another_platform(site: BrokenSite) -> None:
    site.module('decord', "raise OSError('libdecord.so: wrong ELF class')")
    site.module('av', "open = 1\n__version__ = '18.1.0'")
    code, report = site.examine('--only', 'decoders')
    assert (code, status_of(report, 'decord')) == (1, 'fail')
    assert status_of(report, 'av') == 'ok'


def test_an_optional_package_is_broken(site: BrokenSite) -> None:
    site.distribution('wandb', '0.1').module('wandb', "raise TypeError('protobuf')")
    site.distribution('onnx', '1.16').module('onnx')
    code, report = site.examine('--only', 'optional')
    assert (code, status_of(report, 'wandb')) == (0, 'warn')
    assert 'installed, but broken: TypeError: protobuf' in report
    assert status_of(report, 'onnx') == 'ok'


def test_the_metadata_is_half_there(site: BrokenSite) -> None:
    (site.folder / 'mmengine-0.10.7.dist-info').mkdir()
    code, report = site.examine('--only', 'openmmlab')
    assert code == 1
    assert remedy_of(report, 'mmengine') == 'pip install mmengine==0.10.7'


def test_the_table_needs_no_package(site: BrokenSite) -> None:
    site.module('rich', '1 / 0')
    code, report = site.examine('--only', 'required')
    assert code == 1
    assert 'ZeroDivisionError: division by zero' in report


def data_set(folder: Path, first: str) -> Path:
    (folder / 'data' / 'ucf101' / 'videos').mkdir(parents=True)
    (folder / 'data' / 'ucf101' / 'videos' / 'a.avi').touch()
    (folder / 'data' / 'ucf101' / 'train_split1.txt').write_text(first)
    return folder / 'data' / 'ucf101'


def test_videos_have_moved(site: BrokenSite) -> None:
    folder = data_set(site.folder, 'a.avi 0\n')
    assert site.examine('--only', 'data')[0] == 0
    (folder / 'videos' / 'a.avi').unlink()
    code, report = site.examine('--only', 'data')
    assert code == 1
    assert 'train_split1.txt, line 1: data/ucf101/videos/a.avi is not there' in report
    (folder / 'videos').rmdir()
    (folder / 'videos').symlink_to('/nonexistent/UCF-101')
    code, report = site.examine('--only', 'data')
    assert code == 1
    assert 'leads to /nonexistent/UCF-101, which is not there' in report
    assert remedy_of(report, 'data/ucf101').startswith('python tools/data/prepare.py')


def test_a_list_is_a_folder(site: BrokenSite) -> None:
    folder = data_set(site.folder, 'a.avi 0\n')
    (folder / 'val.txt').mkdir()
    code, report = site.examine('--only', 'data')
    assert (code, status_of(report, 'data/ucf101')) == (1, 'fail')
    assert 'val.txt cannot be read: not a regular file' in report


def test_a_module_of_python_is_hidden(site: BrokenSite) -> None:
    site.module('json', "raise RuntimeError('not me')")
    site.module('pathlib', '').module('random', '')
    code, report = site.examine('--only', 'python', 'numpy')
    assert (code, status_of(report, 'PYTHONPATH')) == (1, 'fail')
    for name in ('json', 'pathlib', 'random'):
        assert f"{site.folder / name}.py hides Python's own {name}" in report
    assert remedy_of(report, 'PYTHONPATH').startswith('Rename it')


def test_a_package_leaves_and_claims_success(site: BrokenSite) -> None:
    site.module('numpy', "import os; print('x' * 99999); os._exit(0)")
    code, report = site.examine('--only', 'numpy')
    assert (code, status_of(report, 'NumPy')) == (1, 'fail')
    assert 'cannot be imported: the process left with status 0' in report

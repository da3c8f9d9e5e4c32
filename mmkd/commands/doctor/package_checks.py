"""Checks of the packages that mmkd needs, and of those that single features need."""

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mmkd.commands.doctor.findings import Finding, fail, ok, warn
from mmkd.commands.doctor.probe import installed, installed_of, run_probe, within
from mmkd.torch_releases import conv3d_warning

TORCH_LEAST = '2.4'
_TORCH_INSTALL = 'pip install torch==2.13.0   (or the build for your CUDA: pytorch.org)'
_DRIVER = Path('/proc/driver/nvidia/version')
_TORCH = """
import torch
answer(version=torch.__version__, built_for=torch.version.cuda or torch.version.hip)
answer(cudnn=torch.backends.cudnn.version() if torch.version.cuda else None)
if torch.cuda.is_available():
    answer(gpu=torch.cuda.get_device_name(), kinds=torch.cuda.get_arch_list(),
           kind='sm_%d%d' % torch.cuda.get_device_capability())
    torch.zeros(1, device='cuda').add_(1).item()
"""


def check_torch() -> Iterator[Finding]:
    """Check the release, the pairing with CUDA and cuDNN, and a sum on the GPU."""
    facts, error = run_probe(_TORCH)
    if 'version' not in facts:
        yield fail('torch', f'cannot be imported: {error}', _TORCH_INSTALL)
        return
    version = facts['version']
    yield _judge_version('torch', version, TORCH_LEAST, _TORCH_INSTALL)
    driver = _DRIVER.exists() or shutil.which('nvidia-smi') is not None
    yield judge_gpu(facts, error, driver)
    sick = conv3d_warning(version, facts.get('cudnn'))
    if sick:
        remedy = 'pip install torch==2.13.0   (the build for your CUDA)'
        yield warn('Conv3d', sick.rpartition(' Install')[0], remedy)


def _judge_version(name: str, version: str, least: str, remedy: str) -> Finding:
    if within(version, least):
        return ok(name, version)
    return fail(name, f'{version} is older than {least}', remedy)


def judge_gpu(facts: dict[str, Any], error: str | None, driver: bool) -> Finding:
    """Judge what torch says of the GPU.

    Args:
        facts: ``built_for`` (CUDA version or None), ``cudnn``, and, where torch sees a
            GPU, ``gpu``, ``kind`` (``'sm_90'``) and ``kinds`` (those of the build).
        error: How the probe ended.
        driver: Whether the machine has NVIDIA's driver.
    """
    cuda, gpu = facts.get('built_for'), facts.get('gpu')
    if gpu is not None:
        kind, kinds = facts['kind'], facts['kinds']
        if error:
            text = f'{gpu} ({kind}; this build: {kinds}): {error}'
            return fail('GPU', text, _TORCH_INSTALL)
        text = f'{gpu}, CUDA {cuda}, cuDNN {facts.get("cudnn")}'
        if kind in kinds:
            return ok('GPU', text)
        # An older kind of one generation, or code that the driver compiles, serves.
        return warn('GPU', f'{text}; the build has no code for {kind}', _TORCH_INSTALL)
    if error:
        return fail('GPU', error, _TORCH_INSTALL)
    if not driver:
        return ok('GPU', 'none; training runs on the CPU')
    if cuda:
        text = (
            f'torch is built for CUDA {cuda} and sees no GPU: driver too old, or hidden'
        )
        remedy = 'nvidia-smi   (compare its CUDA version; echo $CUDA_VISIBLE_DEVICES)'
        return fail('GPU', text, remedy)
    text = 'there is a driver, but this torch is built for the CPU only'
    return warn('GPU', text, 'Install the build for your CUDA: pytorch.org')


def check_torchvision() -> Iterator[Finding]:
    """Check that torchvision, where it is installed, is of torch's build."""
    version = installed('torchvision')
    error = run_probe('import torchvision').error if version else None
    if error:
        text = f'{version} does not fit torch: {error}'
        remedy = 'pip uninstall torchvision   (or install the one of your torch)'
        yield warn('torchvision', text, remedy)
    else:
        yield ok('torchvision', version or 'not installed; not needed')


# Distribution: (lower bound, upper bound), as in requirements/runtime.txt.
BOUNDS: dict[str, tuple[str, str | None]] = {
    'mmengine': ('0.10.7', None),
    'mmcv-lite': ('2.1.0', '2.2.0'),
    'mmaction2': ('1.2.0', None),
}
TESTED = {'mmengine': '0.10.7', 'mmcv-lite': '2.1.0', 'mmaction2': '1.2.0'}
# Others deliver the same modules.
_OTHER_NAMES = {
    'mmengine': ['onedl-mmengine'],
    'mmcv-lite': ['mmcv', 'onedl-mmcv', 'mmcv-full'],
    'mmaction2': [],
}
_STAGES = ('mmengine', 'mmcv', 'mmkd', 'mmaction.models', 'mmkd.models')
_STAGED_IMPORT = '\n'.join(f'answer(stage={x!r}); import {x}' for x in _STAGES)


def check_openmmlab() -> Iterator[Finding]:
    """Check versions, then import one after the other."""
    for name in BOUNDS:
        yield _openmmlab_version(name)
    facts, error = run_probe(_STAGED_IMPORT)
    if error is None:
        yield ok('import mmkd', 'with its models and those of MMAction2')
    else:
        text = f'import {facts.get("stage", _STAGES[0])}: {error}'
        remedy = 'Mend the lines above and below first; then '
        yield fail('import mmkd', text, remedy + 'pip install -r requirements.txt')


def _openmmlab_version(name: str) -> Finding:
    there = installed_of([name, *_OTHER_NAMES[name]])
    install = f'pip install {name}=={TESTED[name]}'
    if not there:
        return fail(name, 'not installed', install)
    listed = _listed(there)
    remedy = f'pip uninstall -y {" ".join(there)} && {install}'
    if len(there) > 1:
        return fail(name, f'several deliver one module: {listed}', remedy)
    (version,) = there.values()
    least, below = BOUNDS[name]
    if not within(version, least, below):
        wanted = f'>={least}' + (f',<{below}' if below else '')
        return fail(name, f'{listed}, needed: {wanted}', remedy)
    return ok(name, listed)


def _listed(versions: Mapping[str, str]) -> str:
    return ', '.join(f'{name} {version}' for name, version in versions.items())


_NUMPY_LEAST = '1.26'
_NUMPY_INSTALL = 'pip install --force-reinstall --no-deps numpy==2.4.6'
_NUMPY = """
import numpy
answer(version=numpy.__version__, sum=int(numpy.arange(4).sum()))
"""


def check_numpy() -> Iterator[Finding]:
    """Check the version, and that its metadata is that of what is imported."""
    facts, error = run_probe(_NUMPY)
    version, listed = facts.get('version', ''), installed('numpy')
    if error:
        yield fail('NumPy', f'cannot be imported: {error}', _NUMPY_INSTALL)
    elif within(version, _NUMPY_LEAST) and listed not in (None, version):
        text = f'{version} is imported, but {listed} is listed as installed'
        yield fail('NumPy', text, _NUMPY_INSTALL)
    else:
        yield _judge_version('NumPy', version, _NUMPY_LEAST, _NUMPY_INSTALL)


# Four distributions write into one folder ``cv2``.
_OPENCV_BUILDS = [
    *('opencv-python', 'opencv-contrib-python'),
    *('opencv-python-headless', 'opencv-contrib-python-headless'),
]
_OPENCV_LEAST = '4.9'
_ONE_OPENCV = (
    f'pip uninstall -y {" ".join(_OPENCV_BUILDS)} && '
    'pip install --no-deps opencv-python-headless==5.0.0.93'
)
_OPENCV = """
import cv2
answer(version=getattr(cv2, '__version__', None), whole=hasattr(cv2, 'resize'))
"""


def check_opencv() -> Iterator[Finding]:
    """Check how many builds lie over each other, and that the result works."""
    there = installed_of(_OPENCV_BUILDS)
    if len(set(there.values())) > 1:
        text = f'several releases over one folder: {_listed(there)}'
        yield fail('OpenCV builds', text, _ONE_OPENCV)
    elif len({name.endswith('-headless') for name in there}) > 1:
        text = f'with and without windows over one folder: {_listed(there)}'
        yield warn('OpenCV builds', text, _ONE_OPENCV)
    else:
        yield ok('OpenCV builds', _listed(there) or 'none listed')
    facts, error = run_probe(_OPENCV)
    if error:
        yield fail('OpenCV', f'cannot be imported: {error}', _opencv_remedy(error))
    elif not facts['whole']:
        text = 'the folder cv2 is hollow, as an uninstalled second build leaves it'
        yield fail('OpenCV', text, _ONE_OPENCV)
    else:
        yield _judge_version('OpenCV', facts['version'], _OPENCV_LEAST, _ONE_OPENCV)


def _opencv_remedy(error: str) -> str:
    if 'libGL' in error or 'libgthread' in error:
        return (
            f'apt-get install libgl1 libglib2.0-0   (or, without root: {_ONE_OPENCV})'
        )
    # A build for NumPy 1 says so in one of two ways under NumPy 2.
    if 'numpy' in error.lower() or '_ARRAY_API' in error:
        return 'pip install opencv-python==5.0.0.93 opencv-contrib-python==5.0.0.93'
    return _ONE_OPENCV


def check_setuptools() -> Iterator[Finding]:
    """Check for ``pkg_resources`` and for ``importlib_metadata``.

    ``import mmkd`` mends the lack of either, programs that do not import it suffer.
    """
    version, remedy = installed('setuptools'), 'pip install "setuptools<82"'
    if version and within(version, '0', '82'):
        yield ok('setuptools', version)
    else:
        text = f'{version or "not installed"}: MMEngine finds no config of a package'
        yield warn('setuptools', f'{text} unless mmkd is imported first', remedy)
    if run_probe('import importlib_metadata').error:
        text = 'not installed: MMAction2 needs it unless mmkd is imported first'
        yield warn('importlib_metadata', text, 'pip install importlib_metadata')


# Module: (what is used of it, remedy).
_DECODERS = {
    'decord': (
        'VideoReader',
        'pip install decord==0.6.0   (macOS on arm64: pip install eva-decord)',
    ),
    'av': ('open', 'pip install av==18.1.0'),
}
_DECODER = """
import {module}
answer(version=getattr({module}, '__version__', 'of unknown version'))
{module}.{name}
"""


def check_decoders() -> Iterator[Finding]:
    """Check decord, which trainings use, and PyAV, which data preparation uses."""
    for module, (name, remedy) in _DECODERS.items():
        facts, error = run_probe(_DECODER.format(module=module, name=name))
        if error:
            yield fail(module, f'does not work: {error}', remedy)
        else:
            yield ok(module, facts['version'])


# Distribution: module.
MODULES = {
    'rich': 'rich',
    'safetensors': 'safetensors',
    'filelock': 'filelock',
    'pyyaml': 'yaml',
    'jinja2': 'jinja2',
}
_IMPORT = """
import importlib
try:
    importlib.import_module({module!r})
except BaseException as error:
    answer(**{{{name!r}: '%s: %s' % (type(error).__name__, error)}})
else:
    answer(**{{{name!r}: ''}})
"""


def check_required() -> Iterator[Finding]:
    """Check that each can be imported."""
    errors = _import_errors(MODULES)
    for name, error in errors.items():
        if error:
            yield fail(name, error, f'pip install --force-reinstall {name}')
    if not any(errors.values()):
        yield ok('other needs', ', '.join(MODULES))


def _import_errors(modules: Mapping[str, str]) -> dict[str, str]:
    """Return what the import of each raises in one child process; '' where it works."""
    codes = (_IMPORT.format(name=n, module=m) for n, m in modules.items())
    facts, error = run_probe(''.join(codes))
    return {name: facts.get(name, error or '') for name in modules}


# Distribution, whose module bears its name: what needs it.
_FEATURES = {
    'onnx': 'tools/export.py --format onnx',
    'onnxruntime': 'tools/export.py --format onnx',
    'onnxscript': 'tools/export.py --format onnx',
    'tensorboard': 'tools/train.py --visualizer tensorboard',
    'wandb': 'tools/train.py --visualizer wandb',
    'trackio': 'tools/train.py --visualizer trackio',
    'mlflow': 'tools/train.py --visualizer mlflow',
    'swanlab': 'tools/train.py --visualizer swanlab',
    'mmpose': 'pose estimators as human parsers: requirements/mmpose.txt',
}


def check_optional() -> Iterator[Finding]:
    """Name those that are not installed, and check that the others work."""
    there = installed_of(list(_FEATURES))
    for name, error in _import_errors({name: name for name in there}).items():
        if error:
            remedy = f'pip install --force-reinstall {name}, or pip uninstall {name}'
            yield warn(name, f'installed, but broken: {error}', remedy)
        else:
            yield ok(name, there[name])
    for name, feature in _FEATURES.items():
        if name not in there:
            yield ok(name, f'not installed; only for {feature}')

"""List the patches: fault, condition, link, and the first release without the fault.

``docs/patches.md`` shows it; a test compares the two. They are applied in this order.
"""

import importlib.metadata
import sys
import warnings
from functools import partial
from importlib.util import find_spec

from mmengine.config import utils

from mmkd.compat import atomic_checkpoints as atomic
from mmkd.compat import checkpoints, cpu, decord_memory, missing, package_lookup, plain
from mmkd.compat import removed_names as removed
from mmkd.compat.patch import Patch

_silence = partial(warnings.filterwarnings, 'ignore')
_MMENGINE = 'https://github.com/open-mmlab/mmengine/blob/v0.10.7/mmengine/'
_MMACTION = 'https://github.com/open-mmlab/mmaction2/blob/v1.2.0/mmaction/'

NO_DRN = Patch(
    name='mmaction: missing drn',
    when='the installed wheel lacks the folder',
    link='https://github.com/open-mmlab/mmaction2/issues/2714',
    needed=missing.drn_is_missing,
    apply=missing.add_drn,
)
NO_IMPORTLIB_METADATA = Patch(
    name='mmaction: undeclared importlib_metadata',
    when='the module is not installed',
    # The import stands in a file whose requirement is listed nowhere.
    link=f'{_MMACTION}utils/dependency.py',
    needed=lambda: find_spec('importlib_metadata') is None,
    apply=lambda: sys.modules.update(importlib_metadata=importlib.metadata),
)
NO_PKG_RESOURCES = Patch(
    name='mmengine: pkg_resources is gone from setuptools 82',
    when='MMEngine asks for the module, and it is not installed',
    link='https://github.com/open-mmlab/mmcv/issues/3325',
    needed=package_lookup.lacks_pkg_resources,
    apply=package_lookup.replace_lookup,
)
EDITABLE_INSTALL = Patch(
    name='mmengine: looks for an editable install beside its metadata',
    when='mmkd lies elsewhere than its metadata',
    link='https://github.com/open-mmlab/mmaction2/issues/1499',
    needed=package_lookup.has_wrong_path,
    apply=package_lookup.use_own_path,
)
CONFIG_SCOPE = Patch(
    name='mmengine: reads the configs of its own list of packages only',
    when='mmkd is not on that list',
    link=f'{_MMENGINE}config/utils.py',
    needed=lambda: 'mmkd' not in utils.MODULE2PACKAGE,
    apply=package_lookup.add_scope,
)
NO_DISTUTILS = Patch(
    name='mmengine: distutils is gone from Python 3.12',
    when='the module is not installed',
    link=f'{_MMENGINE}utils/dl_utils/collect_env.py',
    needed=lambda: find_spec('distutils') is None,
    apply=missing.add_distutils,
)
BROKEN_TORCHVISION = Patch(
    name='mmengine: torchvision of another build than torch',
    when='torchvision is there and cannot be imported',
    link='https://github.com/pytorch/vision/issues/8985',
    needed=missing.torchvision_is_broken,
    # Absent, for Python.
    apply=lambda: sys.modules.update(torchvision=None),  # type: ignore[call-overload]
    waits_for='mmengine.utils.dl_utils.collect_env',
)
PLAIN_MESSAGE_HUB = Patch(
    name='mmengine: pickled HistoryBuffer in checkpoints',
    when='a message hub hands one out as its state',
    link='https://github.com/open-mmlab/mmengine/issues/1655',
    needed=plain.hub_holds_objects,
    apply=plain.make_hub_plain,
    feature=True,
)
ATOMIC_CHECKPOINTS = Patch(
    name='mmengine: checkpoints are written in place',
    when='always: no release writes to another name first',
    link=f'{_MMENGINE}runner/checkpoint.py',
    apply=atomic.save_atomically,
    waits_for='mmengine.runner.checkpoint',
    feature=True,
)
LATE_REMOVAL = Patch(
    name='mmengine: an old checkpoint is removed before the new one is complete',
    when='the hook, tried with nothing behind it, removes first',
    link=f'{_MMENGINE}hooks/checkpoint_hook.py',
    needed=atomic.removes_first,
    apply=atomic.remove_after_saving,
    waits_for='mmengine.hooks.checkpoint_hook',
    feature=True,
)
RELATIVE_POINTER = Patch(
    name='mmengine: last_checkpoint is absolute and may name a damaged file',
    when='always: no release looks at the file',
    link=f'{_MMENGINE}runner/checkpoint.py',
    apply=atomic.find_complete,
    waits_for='mmengine.runner.checkpoint',
    feature=True,
)
PLAIN_CHECKPOINTS = Patch(
    name='mmengine: objects in checkpoints, which torch >= 2.6 refuses to load',
    when='torch refuses a number of NumPy that it saved',
    link='https://github.com/open-mmlab/mmengine/issues/1655',
    needed=checkpoints.torch_refuses_numpy,
    apply=checkpoints.save_plain,
    waits_for='mmengine.runner.checkpoint',
    feature=True,
)
REFUSED_CHECKPOINTS = Patch(
    name='mmengine: checkpoints are not checked, and text in them is executed',
    when='always: no release says what was refused, or leaves the text alone',
    link=f'{_MMENGINE}runner/runner.py',
    apply=checkpoints.load_checked,
    waits_for='mmengine.runner.checkpoint',
    feature=True,
)
CPU_PROCESS_GROUP = Patch(
    name='mmengine: process group without an accelerator',
    when='the device is the CPU',
    link=f'{_MMENGINE}dist/utils.py',
    needed=cpu.no_accelerator,
    apply=cpu.patch_process_group,
    waits_for='mmengine.dist.utils',
)
CPU_DATA_PARALLEL = Patch(
    name='mmengine: data parallel without an accelerator',
    when='the device is the CPU',
    link=f'{_MMENGINE}runner/runner.py',
    needed=cpu.no_accelerator,
    apply=cpu.patch_data_parallel,
    waits_for='mmengine.model.wrappers.distributed',
)
CPU_LOW_PRECISION_GRADIENT = Patch(
    name='torch: bf16 weight gradient of convolutions of short inputs on the CPU',
    when='oneDNN has bf16 kernels for this processor',
    # The kernel; we found no report of the fault.
    link='https://github.com/uxlfoundation/oneDNN/blob/v3.12/src/cpu/x64/'
    'jit_avx512_core_bf16_conv_kernel.cpp',
    needed=cpu.has_bf16_kernels,
    apply=cpu.pad_by_hand,
    waits_for='torch',
)
HALF_PRECISION_SCORES = Patch(
    name='mmaction: training accuracy of scores in bf16',
    when='NumPy does not take a tensor in bf16',
    link=f'{_MMACTION}models/heads/base.py',
    needed=cpu.numpy_refuses_bf16,
    apply=cpu.score_in_float32,
    waits_for='mmaction.models.heads.base',
)
DECORD_MEMORY = Patch(
    name='decord 0.6.0: a damaged video in memory ends the process',
    when='decord is 0.5.3 or 0.6.0',
    link='https://github.com/dmlc/decord/blob/v0.6.0/src/video/ffmpeg/ffmpeg_common.h',
    needed=decord_memory.is_present,
    apply=decord_memory.read_by_path,
    waits_for='mmaction.datasets.transforms.loading',
)
NO_FIND_LOADER = Patch(
    name='mmengine: pkgutil.find_loader is gone from Python 3.14',
    when='pkgutil lacks the function',
    link=f'{_MMENGINE}utils/dl_utils/misc.py',
    needed=removed.lacks_find_loader,
    apply=partial(removed.find_loader_in, 'mmengine.utils.dl_utils.misc'),
    waits_for='mmengine.utils.dl_utils.misc',
)
NO_FIND_LOADER_IN_MMCV = Patch(
    name='mmcv: pkgutil.find_loader is gone from Python 3.14',
    when='pkgutil lacks the function',
    link='https://github.com/open-mmlab/mmcv/blob/v2.1.0/mmcv/utils/ext_loader.py',
    needed=removed.lacks_find_loader,
    apply=partial(removed.find_loader_in, 'mmcv.utils.ext_loader'),
    waits_for='mmcv.utils.ext_loader',
)
OLD_NUMPY_NAMES = Patch(
    name='mmaction: names that NumPy 2 removed',
    when='NumPy lacks Inf, NAN, trapz or in1d',
    link=f'{_MMACTION}datasets/transforms/pose_transforms.py',
    needed=removed.lacks_old_numpy_names,
    apply=removed.add_old_numpy_names,
)
ARRAYS_OF_ONE = Patch(
    name="mmaction: MultiSports' metric converts arrays of one to numbers",
    when='NumPy refuses to (from 2.4 on)',
    link=f'{_MMACTION}evaluation/functional/multisports_utils.py',
    needed=removed.refuses_arrays_of_one,
    apply=removed.convert_arrays_of_one,
    waits_for='mmaction.evaluation.functional.multisports_utils',
)
NEGATIVE_HUE = Patch(
    name='mmaction: ColorJitter adds a negative hue to uint8',
    when='NumPy refuses to (from 2.0 on)',
    link=f'{_MMACTION}datasets/transforms/processing.py',
    needed=removed.refuses_negative_hue,
    apply=removed.turn_hue_in_int32,
    waits_for='mmaction.datasets.transforms.processing',
)
ESCAPE_WARNING = Patch(
    name='mmaction: Python 3.12 and newer warn of an escape when they compile it',
    when='Python is 3.12 or newer',
    link=f'{_MMACTION}evaluation/metrics/multimodal_metric.py',
    needed=lambda: sys.version_info >= (3, 12),
    apply=lambda: _silence(
        category=SyntaxWarning,
        module=r'.*mmaction.evaluation.metrics.multimodal_metric',
    ),
)
OPERATOR_WARNING = Patch(
    name='mmcv-lite warns at import of an operator that no network here needs',
    when='mmcv-lite is installed',
    link='https://github.com/open-mmlab/mmcv/blob/v2.1.0/mmcv/cnn/bricks/'
    'transformer.py',
    needed=lambda: bool(missing.installed('mmcv-lite')),
    apply=lambda: _silence('Fail to import ``MultiScaleDeformable'),
)
PKG_RESOURCES_WARNING = Patch(
    name='setuptools 80.9 and 81 warn each time MMEngine looks for a config',
    when='setuptools is 80.9 to 81',
    link='https://github.com/open-mmlab/mmcv/issues/3325',
    needed=lambda: (80, 9) <= missing.installed('setuptools') < (82,),
    apply=lambda: _silence('pkg_resources is deprecated'),
    fixed_in='setuptools 82',
)

PATCHES: tuple[Patch, ...] = tuple(v for v in vars().values() if isinstance(v, Patch))

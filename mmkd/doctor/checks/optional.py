"""Packages that single features need."""

from collections.abc import Iterator

from mmkd.doctor.checks.required import import_errors
from mmkd.doctor.finding import Finding, ok, warn
from mmkd.doctor.versions import installed

# Distribution: (module, what needs it).
FEATURES = {
    'onnx': ('onnx', 'tools/export.py --format onnx'),
    'onnxruntime': ('onnxruntime', 'tools/export.py --format onnx'),
    'onnxscript': ('onnxscript', 'tools/export.py --format onnx'),
    'tensorboard': ('tensorboard', 'tools/train.py --visualizer tensorboard'),
    'wandb': ('wandb', 'tools/train.py --visualizer wandb'),
    'mmpose': ('mmpose', 'pose estimators as human parsers: requirements/mmpose.txt'),
}


def check_optional() -> Iterator[Finding]:
    """Name those that are not installed, and check that the others work."""
    there = {name: FEATURES[name][0] for name in FEATURES if installed(name)}
    errors = import_errors(there)
    for name, error in errors.items():
        if error:
            remedy = f'pip install --force-reinstall {name}, or pip uninstall {name}'
            yield warn(name, f'installed, but broken: {error}', remedy)
        else:
            yield ok(name, str(installed(name)))
    for name, (_, feature) in FEATURES.items():
        if name not in there:
            yield ok(name, f'not installed; only for {feature}')

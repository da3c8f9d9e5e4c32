"""Exported networks, TorchScript or ONNX, as human parsers."""

from mmkd.models.human_parsers.exported.parser import ExportedParser
from mmkd.models.human_parsers.exported.programs import open_program

__all__ = ['ExportedParser', 'open_program']

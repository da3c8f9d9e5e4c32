"""Pose networks of mmpose, which is needed only when one is built, as human parsers."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.hub import get_config
from mmengine.registry import DefaultScope
from torch import Tensor, nn

from mmkd.errors import UserError
from mmkd.models.human_parsers.frame_fit import Nodes, Size, letterboxed
from mmkd.models.human_parsers.human_parser import HumanParser, keypoint_probabilities
from mmkd.models.human_parsers.weights import build_network
from mmkd.part_labels import get_label_set
from mmkd.registry import MODELS

_ZOO = 'https://mmpose.readthedocs.io/en/latest/model_zoo.html'


@MODELS.register_module()
class PoseParser(HumanParser):
    """Heat-maps of an mmpose network: where which joint is.

    The whole frame is laid into the network's input, its aspect ratio kept, the rest
    black. A one-stage (bottom-up) network finds the joints of everybody in it; a
    top-down network takes the frame for the box of one person, and is at its best if
    that is so (ours: no detector runs here). Networks that give coordinates in place of
    heat-maps (SimCC, RTMPose, RTMO, regression) are refused.

    Source: https://github.com/open-mmlab/mmpose (Apache-2.0; weights as stated there).

    Args:
        config: Config of mmpose: a file, or ``mmpose::`` and a name that it ships.
        checkpoint: Its weights, or ``'random'``.
        label_set: Background and the joints in their order. Defaults to
            ``'coco_keypoints'``.
        size: Height and width of the input. Defaults to None: that of the config.
        step: Pixels of the input per cell of the maps. Defaults to 4.

    Raises:
        UserError: If mmpose or compiled mmcv is not installed, a file is not there or
            does not fit, or the network gives no heat-maps.

    Example:
        >>> folder = 'mmpose::body_2d_keypoint/topdown_heatmap/coco'
        >>> name = 'td-hm_hrnet-w32_8xb64-210e_coco-256x192'
        >>> parser = dict(
        ...     type='mmkd.PoseParser',
        ...     config=f'{folder}/{name}.py',
        ...     checkpoint=f'data/teachers/mmpose/{name}-81c58e40_20220909.pth',
        ... )
    """

    network: Any  # mmpose's; not known where it is not installed

    def __init__(
        self,
        config: str,
        checkpoint: str,
        label_set: str = 'coco_keypoints',
        size: Size | None = None,
        step: int = 4,
    ) -> None:
        content = read_pose_config(config)
        network = build_network(
            lambda: build_estimator(content), checkpoint, _ZOO, 'pose'
        )
        codec = _codec(content, config)
        if size is None:
            width, height = codec['input_size']
            size = (height, width)
        description = json.dumps(content.model.to_dict(), sort_keys=True, default=str)
        settings: dict[str, str | int | float] = {
            'model': hashlib.sha256(description.encode()).hexdigest()[:16],
            'size': f'{size[0]}x{size[1]}',
            'step': step,
        }
        super().__init__(get_label_set(label_set), settings, network)
        self.config = config
        self.size = size
        self.step = step
        # UDP's maps lie corner on corner; in the others position u is input pixel 4 u.
        self.corners = 'UDP' in codec.get('type', '') or bool(codec.get('use_udp'))

    def probabilities(self, frames: Tensor) -> Tensor:
        """Return ``(F, 1 + J, h, w)``, about ``size / step`` cells for the frame."""
        fit = letterboxed((frames.shape[-2], frames.shape[-1]), self.size)
        # As mmpose's readers do, which give BGR.
        x = fit.to_input(frames.flip(1).float())
        data = {'inputs': list(x), 'data_samples': []}
        x = self.network.data_preprocessor(data, False)['inputs']
        answer = self.network.head.forward(self.network.extract_feat(x))
        maps = self._heat_maps(answer)
        nodes: Nodes = self.size[1] / maps.shape[-1]
        nodes = 'corners' if self.corners else nodes
        return keypoint_probabilities(fit.to_frame(maps, nodes, self.step))

    def _heat_maps(self, answer: Any) -> Tensor:
        """Return the joints' maps ``(F, J, h, w)`` of what the head says."""
        while isinstance(answer, Sequence) and answer:
            answer = answer[0]
        joints = len(self.label_set) - 1
        if (
            not isinstance(answer, torch.Tensor)
            or answer.ndim != 4
            or answer.shape[1] < joints
        ):
            found = getattr(answer, 'shape', type(answer).__name__)
            raise UserError(
                f'{self.config} gives {found}, not heat-maps of {joints} joints',
                'Take a top-down or bottom-up heat-map config and its label set.',
            )
        # DEKR adds a map of persons' centres behind the joints.
        return answer[:, :joints].float()


def _codec(content: Any, config: str) -> dict[str, Any]:
    """Return the description of the heat-maps, which states the input size."""
    codec = content.get('codec', {})
    codec = codec[-1] if isinstance(codec, Sequence) and codec else codec
    if 'input_size' not in codec:
        raise UserError(
            f'the pose config {config} states no codec with input_size',
            'Take a heat-map config as mmpose ships them.',
        )
    return codec


def build_estimator(config: Config) -> nn.Module:
    """Return mmpose's network of a config, without fetching any weights.

    Args:
        config: A config of mmpose, with a ``model``.

    Raises:
        UserError: If mmpose cannot be imported, or cannot build the model.
    """
    builder = _builder()
    model = config.model.to_dict()
    model.get('backbone', {}).pop('init_cfg', None)
    with DefaultScope.overwrite_default_scope('mmpose'):
        try:
            return builder(model)
        except (KeyError, TypeError, ValueError, AssertionError) as error:
            raise UserError(
                f'mmpose cannot build the model of {config.filename} ({error})',
                'Give a config of mmpose 1.3.',
            ) from error


def read_pose_config(path: str) -> Config:
    """Read a config of mmpose: a file, or ``mmpose::`` and a name that it ships.

    Raises:
        UserError: If mmpose cannot be imported, or there is no such config.
    """
    if path.startswith('mmpose::'):
        _builder()
    elif not Path(path).is_file():
        raise UserError(
            f'the pose config {path} does not exist',
            'Give a file, or mmpose:: and a config that mmpose ships.',
        )
    try:
        config = get_config(path) if '::' in path else Config.fromfile(path)
    except (OSError, SyntaxError, KeyError, AssertionError, ValueError) as error:
        raise UserError(
            f'the pose config {path} cannot be read ({error})', 'Check its name.'
        ) from error
    if not config.get('model'):
        raise UserError(f'the pose config {path} has no model')
    return config


def _builder() -> Any:
    """Return mmpose's builder, or say in one line what is missing for it."""
    try:
        from mmpose.models import build_pose_estimator
    except (ImportError, AssertionError, RuntimeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(
            f'mmpose cannot be imported here ({reason})',
            'It needs mmdet and mmcv with compiled operators in an environment of '
            'their own: see requirements/mmpose.txt.',
        ) from error
    return build_pose_estimator

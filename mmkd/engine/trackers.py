"""Show the curves of a training in trackers that MMEngine has no backend for."""

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from mmengine.config import Config
from mmengine.visualization.vis_backend import BaseVisBackend, force_init_env

from mmkd.registry import VISBACKENDS


class _TrackerBackend(BaseVisBackend):
    """A tracker with the three calls of Weights & Biases: init, log and finish.

    Args:
        save_dir: Folder of this start, ``WORK_DIR/<time>/vis_data``.
        project: Name of the project. Defaults to ``'mmkd'``.
        init_kwargs: Further arguments of the tracker's ``init``.
    """

    package: ClassVar[str]

    def __init__(
        self,
        save_dir: str,
        project: str = 'mmkd',
        init_kwargs: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(save_dir)
        self.project = project
        self.init_kwargs = dict(init_kwargs or {})
        self._tracker: Any = None

    def _init_env(self) -> None:
        folder = Path(self._save_dir).absolute()
        # Work folder and time, which no two starts share.
        name = f'{folder.parents[1].name}/{folder.parent.name}'
        given = {'project': self.project, 'name': name, **self.default_arguments()}
        self._tracker = importlib.import_module(self.package)
        self._tracker.init(**{**given, **self.init_kwargs})

    def default_arguments(self) -> dict[str, Any]:
        """Return what this tracker's ``init`` needs to stay on this machine."""
        return {}

    @property
    @force_init_env
    def experiment(self) -> Any:
        """The tracker's module, after its ``init``."""
        return self._tracker

    @force_init_env
    def add_config(self, config: Config, **kwargs: Any) -> None:
        """Do nothing: the config stands in the work folder."""

    def add_scalar(self, name: str, value: float, step: int = 0, **kwargs: Any) -> None:
        """Log a number at a step."""
        self.add_scalars({name: value}, step)

    def add_scalars(
        self,
        scalar_dict: dict[str, Any],
        step: int = 0,
        file_path: str | None = None,
        **kwargs: Any,
    ) -> None:
        """Log the numbers of a dict at a step; MMEngine's own ``step`` is left out."""
        numbers = {k: float(v) for k, v in scalar_dict.items() if k != 'step'}
        self.experiment.log(numbers, step=int(step))

    def close(self) -> None:
        """Finish the run, if there was one."""
        if self._tracker is not None:
            self._tracker.finish()
            self._tracker = None


@VISBACKENDS.register_module()
class TrackioVisBackend(_TrackerBackend):
    """Trackio: local, without an account; ``trackio show`` opens it.

    See https://huggingface.co/docs/trackio.

    Example:
        >>> backend = dict(type='mmkd.TrackioVisBackend', project='vspp')
        >>> visualizer = dict(type='Visualizer', vis_backends=[backend])
    """

    package = 'trackio'


@VISBACKENDS.register_module()
class SwanlabVisBackend(_TrackerBackend):
    """SwanLab in its local mode; ``init_kwargs=dict(mode='online')`` sends it.

    See https://docs.swanlab.cn.

    Example:
        >>> backend = dict(type='mmkd.SwanlabVisBackend', project='pace')
        >>> visualizer = dict(type='Visualizer', vis_backends=[backend])
    """

    package = 'swanlab'

    def default_arguments(self) -> dict[str, Any]:
        """Return what keeps the run in the folder of this start."""
        return {'mode': 'local', 'log_dir': str(self._save_dir)}

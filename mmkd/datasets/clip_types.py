"""Types of clips, views and labels, and of what video transforms exchange.

``N`` are the samples of a batch, ``M`` the views (clips) of a sample, ``T`` the frames
of a view, ``C`` and ``D`` the width of a map and of an embedding.
"""

from typing import Any, TypedDict

import numpy as np
from torch import Tensor

#: A batch of clips, ``(N, M, 3, T, H, W)``: uint8 RGB before the data preprocessor,
#: floating point behind it.
Clips = Tensor

#: Map ``(N, C, t, h, w)`` of a network, by view.
ViewMaps = dict[int, Tensor]

#: Embedding ``(N, D)``, by view.
ViewEmbeddings = dict[int, Tensor]

#: Labels of a batch, integers ``(N, M)`` by name, -100 where one cannot be known.
BatchLabels = dict[str, Tensor]

#: 0-based frames of the views of one video, int64 ``(M, T)``.
FrameIndices = np.ndarray

#: Labels of the views of one video, int64 ``(M,)`` by name, -100 for no label.
ViewLabels = dict[str, np.ndarray]

#: :class:`Results` where the keys of other packages' transforms are handled as well.
AnyResults = dict[str, Any]


class Results(TypedDict, total=False):
    """One video on its way through a pipeline: the keys that our transforms share.

    MMAction2's transforms read and write most of them too. No key is there before the
    step that writes it.
    """

    filename: str  # path of the video
    start_index: int  # number of the first frame: 0 for videos
    sample_idx: int  # index of the video in its list
    video_reader: Any  # FrameReader, or a reader of decord's; None once decoded
    total_frames: int  # of the video
    avg_fps: float  # frames a second
    frame_inds: np.ndarray  # frames of all views, int64 (M * T,), view after view
    clip_len: int  # T
    num_clips: int  # M
    frame_interval: int  # natural distance of two frames of a view, in frames
    imgs: list[np.ndarray]  # M * T of uint8 RGB (H, W, 3), until FormatShape
    img_shape: tuple[int, ...]  # (H, W) now
    original_shape: tuple[int, ...]  # (H, W) as decoded
    view_labels: ViewLabels  # each (M,); inside of PerView (1,)
    view_records: list[AnyResults]  # what PerView's transforms wrote, M dicts
    view_corners: np.ndarray  # three corners in the frame, float64 (M, 3, 2), x and y
    targets: dict[str, Any]  # DenseTarget by name

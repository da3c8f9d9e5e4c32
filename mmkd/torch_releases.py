"""Warn of releases of PyTorch whose 3D convolutions are broken on a GPU.

The doctor imports this module where torch may be missing, so it imports none.
"""

_FIXED_CUDNN = 91500


def conv3d_warning(torch_version: str, cudnn_version: int | None) -> str | None:
    """Return what is wrong with 3D convolutions of these releases on a GPU, if known.

    torch 2.9.0 does not use cuDNN for them, and 2.9.1 only from cuDNN 9.15 on: they are
    several times slower and need several times the memory
    (https://github.com/pytorch/pytorch/issues/166122,
    https://github.com/pytorch/pytorch/issues/166643). The reason was that cuDNN 9.8 to
    9.10 gives wrong bf16 results (https://github.com/pytorch/pytorch/issues/163539);
    earlier releases of torch use it all the same.

    Args:
        torch_version: E.g. ``'2.9.1+cu128'``.
        cudnn_version: As ``torch.backends.cudnn.version()`` gives it, e.g. ``91002``.
            None without cuDNN.
    """
    release = tuple(int(part) for part in torch_version.split('+')[0].split('.')[:2])
    if cudnn_version is None:
        return None
    if release == (2, 9):
        ill = torch_version.startswith('2.9.0') or cudnn_version < _FIXED_CUDNN
        return _SLOW.format(torch_version, cudnn_version) if ill else None
    if release < (2, 9) and 90800 <= cudnn_version < 91100:
        return _WRONG.format(torch_version, cudnn_version)
    return None


_SLOW = (
    'torch {} with cuDNN {} computes 3D convolutions without cuDNN, several times '
    'slower and in several times the memory (pytorch issues 166122, 166643). '
    'Install torch 2.10 or later.'
)
_WRONG = (
    'torch {} with cuDNN {} may compute 3D convolutions in bf16 wrongly (pytorch issue '
    '163539). Install torch 2.10 or later, or train in float32.'
)


def warning_of_this_machine() -> str | None:
    """Return the warning of :func:`conv3d_warning` for the GPU at hand, if any."""
    import torch

    if not torch.cuda.is_available():
        return None
    return conv3d_warning(torch.__version__, torch.backends.cudnn.version())

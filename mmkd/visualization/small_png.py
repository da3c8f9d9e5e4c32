"""Write PNG files that are small enough for a repository. Ours."""

from pathlib import Path

import numpy as np
from PIL import Image

from mmkd.files import replacing

LIMIT = 150_000
_COLOURS = (256, 128, 64, 32)
_SHRINK = 0.85


def write_small_png(path: Path, picture: np.ndarray, limit: int = LIMIT) -> int:
    """Write a picture with a palette, and with as many colours as the limit allows.

    Where even few colours take too much, the picture is made smaller.

    Args:
        path: File to write, whole or not at all.
        picture: RGB uint8 ``(H, W, 3)``.
        limit: Bytes. Defaults to 150 000.

    Returns:
        Bytes of the file.

    Raises:
        UserError: If it cannot be written.
    """
    image = Image.fromarray(picture)
    # Small patches of a rare colour, such as those of a legend, keep it.
    method = Image.Quantize.MAXCOVERAGE
    with replacing(path) as temporary:
        while True:
            for colours in _COLOURS:
                small = image.quantize(colours, method, dither=Image.Dither.NONE)
                small.save(temporary, 'PNG', optimize=True)
                size = temporary.stat().st_size
                if size <= limit or min(image.size) < 16:
                    return size
            width, height = (round(_SHRINK * side) for side in image.size)
            image = image.resize((width, height), Image.Resampling.LANCZOS)

"""Remake the pictures of docs/report.md.

python -m tests.commands.report.screenshots REPORT.html docs/images [NAME ...]
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from mmkd.commands.part_sheet import write_small_png
from tests.commands.report.browser import take_picture

# Name: anchor, height in pixels, whether by night.
PICTURES = {
    'report_results': ('', 900, False),
    'report_curves': ('losses', 900, False),
    'report_agreement': ('agreement', 560, True),
    'report_gallery': ('gallery', 900, False),
    'report_features': ('features', 640, True),
    'report_confusion': ('confusion', 720, False),
    'report_parts': ('parts', 720, False),
}
WIDTH = 1180


def main() -> None:
    page, out = map(Path, sys.argv[1:3])
    names = sys.argv[3:] or list(PICTURES)
    keys = page.read_text(encoding='utf-8')
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            anchor, height, dark = PICTURES[name]
            if anchor and f'id="{anchor}"' not in keys:
                continue
            shot = Path(folder, 'shot.png')
            take_picture(page, shot, (WIDTH, height), anchor, dark)
            pixels = np.asarray(Image.open(shot).convert('RGB'))
            size = write_small_png(out / f'{name}.png', pixels)
            print(f'{out / name}.png: {size / 1000:.0f} KB')


if __name__ == '__main__':
    main()

"""Show the views and labels that a pre-training config makes of its videos.

Example: python tools/data/view_samples.py configs/tiny/vspp_r3d_synthetic.py views.png
"""

import sys

from mmkd.commands.view_sheet import main

if __name__ == '__main__':
    sys.exit(main())

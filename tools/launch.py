"""Start a tool in several processes: for launch.sh and pipelines.

usage: python -P tools/launch.py [OPTIONS OF TORCHRUN] SCRIPT [ARGUMENTS]
"""

import sys

from mmkd.error_lines import one_line_errors
from mmkd.processes import launch

if __name__ == '__main__':
    with one_line_errors():
        sys.exit(launch(sys.argv[1:]))

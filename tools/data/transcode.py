"""Transcode the videos of lists: small and with many key frames."""

import sys

from mmkd.commands.listed_videos import transcode_main as main

if __name__ == '__main__':
    sys.exit(main())

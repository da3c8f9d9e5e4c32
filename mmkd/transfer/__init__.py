"""Download files with checksums, and unpack archives safely.

Knows nothing of models or data sets.
"""

from mmkd.transfer.archives import extract
from mmkd.transfer.download import Wanted, download

__all__ = ['Wanted', 'download', 'extract']

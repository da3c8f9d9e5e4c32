"""Download files with checksums, and unpack archives safely.

Of models it knows which are published, and in which files; it builds none.
"""

from mmkd.transfer.archives import extract
from mmkd.transfer.download import Wanted, download

__all__ = ['Wanted', 'download', 'extract']

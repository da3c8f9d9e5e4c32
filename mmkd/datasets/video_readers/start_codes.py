"""What a packet of MPEG-4 part 2, H.264 or HEVC holds, from its start codes."""

import re
from collections.abc import Iterator

# ISO/IEC 14496-2, 6.2.5: the two bits behind the start code of a picture (VOP) are its
# type.
_VOP = re.compile(rb'\x00\x00\x01\xb6(?=(.))', re.DOTALL)
#: Types of IDR pictures: of H.264, table 7-1, and of H.265, table 7-1 (without the
#: leading pictures that CRA and some BLA pictures may have).
IDR = {'h264': {5}, 'hevc': {18, 19, 20}}


def vop_types(data: bytes) -> str:
    """Return a letter of ``IPBS`` for each picture in a packet of MPEG-4, in order."""
    return ''.join('IPBS'[code[1][0] >> 6] for code in _VOP.finditer(data))


def is_closed(data: bytes, codec: str, extradata: bytes | None) -> bool:
    """Tell whether a key packet is an IDR picture.

    Behind an open one, frames come that are shown before it and refer to frames before
    it: who counts frames from there is wrong.

    Args:
        data: The packet.
        codec: ``'h264'`` or ``'hevc'``.
        extradata: Of the stream; tells how the units are divided.
    """
    shift, mask = (0, 0x1F) if codec == 'h264' else (1, 0x3F)
    types = {(unit[0] >> shift) & mask for unit in _units(data, codec, extradata)}
    return bool(types & IDR[codec])


def _units(data: bytes, codec: str, extradata: bytes | None) -> Iterator[bytes]:
    place_of_length = 4 if codec == 'h264' else 21
    if not (extradata and extradata[0] == 1 and len(extradata) > place_of_length):
        yield from filter(None, data.split(b'\0\0\1')[1:])
        return
    place, size = 0, (extradata[place_of_length] & 3) + 1
    while place + size < len(data):
        length = int.from_bytes(data[place : place + size], 'big')
        yield data[place + size : place + size + 1]
        place += size + length

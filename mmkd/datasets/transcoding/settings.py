"""How videos are written anew."""

from dataclasses import dataclass

from mmkd.errors import UserError


@dataclass(frozen=True)
class Settings:
    """What the files of a transcoded data set have in common.

    Attributes:
        short_side: Pixels of the shorter side; a smaller video keeps its size.
        gop: Distance of two key frames, in frames.
        crf: x264's constant rate factor, 0 to 51; smaller is better and larger.

    Raises:
        UserError: If a value is out of range.
    """

    short_side: int = 128
    gop: int = 16
    crf: int = 18

    def __post_init__(self) -> None:
        for name, low, high in (
            ('short_side', 16, 4096),
            ('gop', 1, 1000),
            ('crf', 0, 51),
        ):
            value = getattr(self, name)
            if not low <= value <= high:
                option = name.replace('_', '-')
                raise UserError(f'--{option} {value}', f'Give {low} to {high}.')

    @property
    def options(self) -> dict[str, str]:
        """Options of x264: what decodes fast, and key frames at equal distances."""
        return {
            'crf': str(self.crf),
            'preset': 'fast',
            'tune': 'fastdecode',
            'g': str(self.gop),
            'keyint_min': str(self.gop),
            'sc_threshold': '0',
            # Its rate control by macroblock tree is not reproducible (x264 core 165).
            'x264-params': 'mbtree=0',
        }

    def scaled(self, height: int, width: int) -> tuple[int, int]:
        """Return the even height and width that a video gets.

        Args:
            height: Of the video, in pixels.
            width: Of the video, in pixels.
        """
        scale = min(1.0, self.short_side / min(height, width))
        return _even(height * scale), _even(width * scale)


def _even(pixels: float) -> int:
    return max(2, 2 * round(pixels / 2))

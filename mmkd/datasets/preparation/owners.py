"""Where the owners of the data sets give them, and fetching from there."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from mmkd.errors import UserError
from mmkd.files import sha256
from mmkd.transfer import Wanted, download, extract
from mmkd.transfer.archives import unpack_by_hand
from mmkd.transfer.sources import is_address

_FOLDER = 'downloads'


@dataclass(frozen=True)
class Owner:
    """Who gives a data set.

    Attributes:
        page: The page to look at.
        files: What to fetch from there.
    """

    page: str
    files: str


OWNERS: dict[str, Owner] = {
    'ucf101': Owner(
        'the UCF101 page of the Center for Research in Computer Vision, University of '
        'Central Florida',
        'the videos (a .rar file) and "train/test splits for action recognition"',
    ),
    'hmdb51': Owner(
        'the HMDB page of the Serre lab, Brown University',
        'the videos and "three splits" (.rar files)',
    ),
    'kinetics100': Owner(
        'the Kinetics page of Google DeepMind, or the copy that the CVDF hosts, and '
        'the repository of auxSKD',
        'the training videos of Kinetics-400, and auxSKD/list/k100.list',
    ),
    'kinetics400': Owner(
        'the Kinetics page of Google DeepMind, or the copy that the CVDF hosts',
        'the videos and the CSV files',
    ),
    'ut_interaction': Owner(
        'https://cvrc.ece.utexas.edu/SDHA2010/Human_Interaction.html',
        'the segmented sets 1 and 2',
    ),
}
"""No direct link is known to us to be lasting; the terms are the owners'."""


def fetch_archives(dataset: str, out: Path, addresses: Sequence[str]) -> list[str]:
    """Fetch archives by their direct links and unpack those that Python reads.

    They go to ``OUT/downloads``, each into a folder of its name without suffixes.
    Files and folders that are there already are kept.

    Args:
        dataset: A key of :data:`OWNERS`.
        out: The folder of the data set.
        addresses: Direct links; ``#sha256=<64 digits>`` behind one is checked. With
            none, only what to do is returned.

    Returns:
        Lines that say what was done or is to be done.

    Raises:
        UserError: If an address is none, a file cannot be had, or an archive is damaged
            or not safe.
    """
    owner = OWNERS[dataset]
    if not addresses:
        return [
            f'{dataset}: see {owner.page}.',
            f'Fetch {owner.files}; please keep to the terms.',
            'With a direct link from there, `--download LINK` fetches and unpacks it; '
            'a .rar file needs `unrar x FILE DIR/` or `7z x FILE -oDIR`.',
        ]
    return [
        line for address in addresses for line in _fetch_one(address, out / _FOLDER)
    ]


def _fetch_one(address: str, folder: Path) -> list[str]:
    link, _, fragment = address.partition('#')
    name = Path(unquote(urlsplit(link).path)).name
    if not is_address(link) or not name or name.startswith('.') or '\\' in name:
        raise UserError(
            f'{address!r} is no direct link to a file',
            'Give one that ends in its name.',
        )
    wanted = Wanted(sha256=fragment.removeprefix('sha256=') or None)
    path = download([link], folder / name, wanted)
    lines = [f'{path} (SHA-256 {sha256(path)})']
    if path.suffix.lower() == '.rar':
        return [*lines, unpack_by_hand(path)]
    if path.suffix.lower() in ('.zip', '.tar', '.tgz', '.gz', '.bz2', '.xz'):
        target = folder / name.split('.')[0]
        if not target.exists():
            extract(path, target)
        lines.append(f'unpacked to {target}')
    return lines

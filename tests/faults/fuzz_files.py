"""Arbitrary and damaged files for everything that reads one."""

import json
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import torch
from hypothesis import strategies as st
from mmaction.datasets import VideoDataset
from mmengine.runner.checkpoint import _load_checkpoint
from torch import nn

from mmkd.commands.prepare.kinetics import read_kinetics100, read_kinetics400
from mmkd.commands.prepare.ucf_hmdb import read_hmdb51_file, read_ucf101
from mmkd.commands.prepare.ut_interaction import read_ut_interaction
from mmkd.datasets.pack_videos import names_of
from mmkd.datasets.packed_videos import FORM, FRAMES, INDEX, PackedVideos
from mmkd.datasets.shards import encode_shard
from mmkd.engine.load_weights import load_weights
from mmkd.engine.preflight.datasets import ListFormat, check_list
from mmkd.last_checkpoint import is_whole
from mmkd.methods.human_prior.part_maps.cache import (
    PartMapCache,
    PartMapFile,
    VideoFacts,
    facts_and_arrays,
)
from mmkd.methods.human_prior.part_maps.identity import FILE_NAME, CacheIdentity
from mmkd.part_labels import get_label_set

#: Reads a file made of the bytes; raises UserError or nothing.
Reader = Callable[[Path, bytes], None]

WORDS = st.sampled_from(
    [
        *('a.avi', 'b/c.avi', 'no.avi', 'Apply/v_1.avi', 'Apply', 'Run', 'x y'),
        *(
            '0',
            '1',
            '2',
            '3',
            '-1',
            '-2',
            '1.5',
            'nan',
            'inf',
            '1e999',
            '\uff11',
            '1_0',
        ),
        *('label', 'youtube_id', 'time_start', 'time_end', 'split', 'train', 'path'),
        *('set1/0_1_4.avi', '4', '"', "'", '\x00', '..', '/', ''),
    ]
)
GAPS = st.sampled_from(
    [' ', ' ', ',', ',', '\n', '\n', '\n', '\r\n', '\r', '\t', '\x0b', '\x1c', '\u2028']
)
TEXTS = st.lists(st.tuples(WORDS, GAPS), max_size=24).map(
    lambda parts: ''.join(word + gap for word, gap in parts).encode()
)
VALUES = st.recursive(
    st.one_of(
        *(st.none(), st.booleans(), st.text(max_size=5), st.just(0), st.just(-1)),
        *(st.integers(), st.floats(), st.sampled_from([1, 2, 24, 1e400, 'a.avi'])),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=6), st.dictionaries(st.text(max_size=4), inner)
    ),
    max_leaves=8,
)


@st.composite
def damaged(draw: Callable[..., Any], good: bytes) -> bytes:
    """Return a file with some bytes changed, taken out or put in."""
    data = bytearray(good)
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, max(len(data) - 1, 0)))
        length = draw(st.integers(0, 40))
        kept = draw(st.sampled_from(['change', 'cut', 'end', 'insert']))
        new = draw(st.binary(min_size=length, max_size=length))
        end = {
            'change': start + length,
            'cut': start + length,
            'insert': start,
        }
        data[start : end.get(kept, len(data))] = b'' if kept in ('cut', 'end') else new
    return bytes(data)


def texts(*lines: str) -> st.SearchStrategy[bytes]:
    """Return texts of such lines, whole or damaged, and others."""
    some = st.lists(st.sampled_from(lines), min_size=1, max_size=5)
    good = some.map(lambda chosen: ''.join(f'{line}\n' for line in chosen).encode())
    other = st.one_of(TEXTS, st.text(max_size=80).map(str.encode), st.binary())
    return st.one_of(good, good.flatmap(damaged), other)


@st.composite
def changed_json(draw: Callable[..., Any], good: dict[str, Any]) -> bytes:
    """Return a JSON object of which some values, at any depth, are others."""
    value: Any = json.loads(json.dumps(good))
    for _ in range(draw(st.integers(0, 2))):
        node = value
        while True:
            keys = sorted(node) if isinstance(node, dict) else range(len(node))
            key = draw(st.sampled_from(list(keys)))
            if not (isinstance(node[key], dict | list) and node[key]):
                break
            if draw(st.booleans()):
                break
            node = node[key]
        if draw(st.booleans()) and isinstance(node, dict):
            del node[key]
        else:
            node[key] = draw(VALUES)
        if not value:
            break
    return json.dumps(value).encode()


def list_of_videos(folder: Path, data: bytes) -> None:
    """What the check before a run lets pass, MMAction2 reads to the same length."""
    for name in ('a.avi', 'b/c.avi'):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).touch()
    path = folder / 'list.txt'
    path.write_bytes(data)
    count = check_list(str(path), str(folder), ListFormat(num_classes=3))
    prefix = {'video': str(folder)}
    videos = VideoDataset(str(path), [], prefix, serialize_data=False)
    assert len(videos) == count
    assert all(0 <= videos.get_data_info(i)['label'] < 3 for i in range(count))


def list_to_pack(folder: Path, data: bytes) -> None:
    path = folder / 'list.txt'
    path.write_bytes(data)
    assert all(names_of([path]))


def ucf101(folder: Path, data: bytes, name: str = 'trainlist01.txt') -> None:
    (folder / 'classInd.txt').write_text('1 Apply\r\n2 Run\r\n')
    for part in ('train', 'test'):
        for split in (1, 2, 3):
            (folder / f'{part}list0{split}.txt').write_bytes(b'')
    (folder / name).write_bytes(data)
    read_ucf101(folder)


def ucf101_test(folder: Path, data: bytes) -> None:
    ucf101(folder, data, 'testlist03.txt')


def ucf101_classes(folder: Path, data: bytes) -> None:
    ucf101(folder, data, 'classInd.txt')


def hmdb51(folder: Path, data: bytes) -> None:
    (folder / 'run.txt').write_bytes(data)
    read_hmdb51_file(folder / 'run.txt', 'run', 0)


def kinetics100(folder: Path, data: bytes) -> None:
    (folder / 'k100.list').write_bytes(data)
    read_kinetics100(folder / 'k100.list')


def kinetics400(folder: Path, data: bytes) -> None:
    (folder / 'train.csv').write_bytes(b'label,youtube_id,time_start,time_end\n' + data)
    read_kinetics400(folder / 'train.csv')


def ut_interaction(folder: Path, data: bytes) -> None:
    (folder / 'labels.csv').write_bytes(b'path,label\n' + data)
    read_ut_interaction(folder)


PACKED = {
    'form': FORM,
    'prefix': 'videos',
    'videos': {'a.avi': [0, 2, 4, 4, 25.0, 9], 'b.avi': [96, 1, 4, 4, 25.0, 9]},
}


def packed_index(folder: Path, data: bytes) -> None:
    (folder / INDEX).write_bytes(data)
    (folder / FRAMES).write_bytes(bytes(range(144)))
    videos = PackedVideos(folder)
    for name in ('a.avi', 'b.avi'):
        video = videos.open(f'{videos.prefix}/{name}')
        frames = video.get_batch([0, len(video) - 1]).asnumpy()
        assert frames.shape[0] == 2 and frames.shape[3] == 3


IDENTITY = CacheIdentity({'name': 'x'}, get_label_set('synthetic'), size=4)
VIDEO = VideoFacts('a.avi', 9, 'ab', 4, 25.0, 48, 64)
MAPS = encode_shard(
    *facts_and_arrays(IDENTITY, VIDEO, range(3), [0.5] * 3, np.zeros((3, 4, 4), 'u1'))
)


def part_maps(folder: Path, data: bytes) -> None:
    (folder / 'a.npz').write_bytes(data)
    maps = PartMapFile.open(folder / 'a.npz')
    read = maps.read(range(len(maps.frames)))
    assert read.shape == (len(maps.frames), *maps.identity.map_shape)
    assert (maps.frames < maps.video.frames).all()


def cache_identity(folder: Path, data: bytes) -> None:
    (folder / FILE_NAME).write_bytes(data)
    identity = PartMapCache(folder).identity
    assert len(identity.label_set.flip_table()) == len(identity.label_set)


def _checkpoint() -> bytes:
    file = BytesIO()
    weights = nn.Linear(2, 3).state_dict()
    torch.save({'state_dict': weights, 'meta': {'epoch': 1}}, file)
    return file.getvalue()


def _with_pickle(data: bytes) -> bytes:
    """Return a checkpoint whose pickle is other bytes, under a right checksum."""
    file = BytesIO()
    with zipfile.ZipFile(BytesIO(CHECKPOINT)) as old, zipfile.ZipFile(file, 'w') as new:
        for name in old.namelist():
            content = data if name.endswith('data.pkl') else old.read(name)
            new.writestr(name, content)
    return file.getvalue()


CHECKPOINT = _checkpoint()
PICKLE = zipfile.ZipFile(BytesIO(CHECKPOINT)).read('archive/data.pkl')


def checkpoint(folder: Path, data: bytes) -> None:
    path = folder / 'epoch_1.pth'
    path.write_bytes(data)
    is_whole(path)
    loaded = _load_checkpoint(str(path), map_location='cpu')
    state = loaded.get('state_dict', loaded)
    report = load_weights(nn.Linear(2, 3), state if isinstance(state, dict) else {})
    report.raise_if_incomplete(str(path))


#: By name: the reader, and what it is given.
FILES: dict[str, tuple[Reader, st.SearchStrategy[bytes]]] = {
    'list of videos': (list_of_videos, texts('a.avi 0', 'b/c.avi 2', 'a.avi 1')),
    'list to pack': (list_to_pack, texts('a.avi 0', 'b/c.avi 2')),
    'UCF101, training': (ucf101, texts('Apply/a.avi 1', 'Run/b.avi 2')),
    'UCF101, test': (ucf101_test, texts('Apply/a.avi', 'Run/b.avi')),
    'UCF101, classes': (ucf101_classes, texts('1 Apply', '1 A\n2 B\n3 C')),
    'HMDB51': (hmdb51, texts('a[1].avi 0 ', 'b.avi 1 ', 'c.avi 2 ')),
    'Kinetics-100': (kinetics100, texts('run/a_000001_000011 300', 'b/c 20')),
    'Kinetics-400': (
        kinetics400,
        texts('run,abc,1,11', '"a b",c,0.4,10.6', 'a,b,inf,nan'),
    ),
    'UT-Interaction': (ut_interaction, texts('set1/0_1_4.avi,4', 'set2/9_11_0.avi,0')),
    'index of packed videos': (
        packed_index,
        st.one_of(changed_json(PACKED), changed_json(PACKED), texts('{}', '[]')),
    ),
    'part maps': (part_maps, st.one_of(damaged(MAPS), st.binary())),
    'identity of a cache': (
        cache_identity,
        st.one_of(changed_json(IDENTITY.as_json()), texts('{}', '[]')),
    ),
    'checkpoint': (
        checkpoint,
        st.one_of(damaged(CHECKPOINT), damaged(PICKLE).map(_with_pickle), st.binary()),
    ),
}

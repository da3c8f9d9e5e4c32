import pickle
import re
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mmkd.errors import UserError
from mmkd.models.human_parsers import KeypointFileParser
from mmkd.models.human_parsers.human_parser import keypoint_probabilities
from mmkd.models.human_parsers.keypoints import render_keypoints
from tests.shared_files import ROOT

FRAMES = torch.zeros(2, 3, 24, 32, dtype=torch.uint8)


def annotation(name: str = 'v_Dance_g01_c01', **changes: Any) -> dict[str, Any]:
    """Return an annotation as the ready files have them: 2 persons, 5 frames."""
    rng = np.random.default_rng(0)
    entry = {
        'frame_dir': name,
        'label': 3,
        'img_shape': (240, 320),
        'original_shape': (240, 320),
        'total_frames': 5,
        'keypoint': rng.uniform(0, 240, (2, 5, 17, 2)).astype(np.float16),
        'keypoint_score': rng.uniform(0, 1, (2, 5, 17)).astype(np.float16),
    }
    return {k: v for k, v in (entry | changes).items() if v is not None}


def write(path: Path, *entries: Any) -> str:
    arrays = {
        f'{entry["frame_dir"]}/{key}': entry[key]
        for entry in entries
        for key in ('img_shape', 'keypoint', 'keypoint_score')
        if key in entry
    }
    np.savez_compressed(path, **arrays)
    return str(path)


def test_maps_are_those_of_the_named_frames(tmp_path: Path) -> None:
    other = annotation('other', keypoint_score=np.zeros((2, 5, 17), 'f2'))
    entry = annotation()
    parser = KeypointFileParser(write(tmp_path / 'a.npz', other, entry), size=9)
    ours = parser.parse(FRAMES, 'Dance/v_Dance_g01_c01.avi', [4, 1])
    points, scores = (
        torch.from_numpy(entry[key].astype('f4')).transpose(0, 1)[[4, 1]]
        for key in ('keypoint', 'keypoint_score')
    )
    maps = render_keypoints(points, scores, (240, 320), 9, 0.02)
    assert ours.shape == (2, 18, 9, 9)
    torch.testing.assert_close(ours, keypoint_probabilities(maps))
    nobody = parser.parse(FRAMES, 'other.avi', [0, 1])
    assert nobody[:, 0].min() == 1


def test_no_scores_will_do(tmp_path: Path) -> None:
    ones = annotation('b', keypoint_score=np.ones((2, 5, 17), 'f2'))
    path = write(tmp_path / 'a.npz', annotation('a', keypoint_score=None), ones)
    parser = KeypointFileParser(path)
    first, second = (parser.parse(FRAMES, f'{n}.mp4', [2]) for n in 'ab')
    assert torch.equal(first, second)
    assert first.shape == (1, 18, 56, 56)


def test_a_coordinate_too_many_is_left_out(tmp_path: Path) -> None:
    entry = annotation('b')
    wide = np.concatenate([entry['keypoint'], np.ones((2, 5, 17, 1), 'f2')], -1)
    path = write(tmp_path / 'a.npz', entry, annotation('a', keypoint=wide))
    parser = KeypointFileParser(path)
    first, second = (parser.parse(FRAMES, f'{n}.mp4', [0, 3]) for n in 'ab')
    assert torch.equal(first, second)


def test_unknown_videos_and_frames(tmp_path: Path) -> None:
    path = write(tmp_path / 'a.npz', annotation())
    with pytest.raises(UserError, match=r'no annotation of the video x/b\.avi'):
        KeypointFileParser(path).parse(FRAMES, 'x/b.avi', [0])
    lenient = KeypointFileParser(path, allow_missing=True, size=4)
    empty = lenient.parse(FRAMES, 'b.avi', [0, 9])
    assert empty.shape == (2, 18, 4, 4)
    assert empty[:, 0].min() == 1
    for frame in (5, -1):
        with pytest.raises(UserError, match=r'has 5 frames of .*v_Dance'):
            lenient.parse(FRAMES, 'v_Dance_g01_c01.avi', [0, frame])


WRONG: dict[str, Any] = {
    'lacks or garbles .*/img_shape': annotation(img_shape=None),
    r'has keypoint \(2, 5, 16, 2\)': annotation(keypoint=np.zeros((2, 5, 16, 2))),
    r'keypoint_score \(2, 4, 17\)': annotation(keypoint_score=np.zeros((2, 4, 17))),
    'sizes or numbers that cannot be': annotation(img_shape=(0, 5)),
    'or numbers that cannot': annotation(keypoint=np.full((2, 5, 17, 2), np.nan)),
    'lacks or garbles .*/keypoint': annotation(keypoint=np.full((2, 5, 17, 2), 'a')),
    'garbles .*/img_shape': annotation(img_shape='240x320'),
    'lacks or garbles': annotation(img_shape=np.array([Path('x')], object)),
}


@pytest.mark.parametrize('message', WRONG)
def test_a_wrong_annotation_is_named(tmp_path: Path, message: str) -> None:
    parser = KeypointFileParser(write(tmp_path / 'a.npz', WRONG[message]))
    with pytest.raises(UserError, match=f"annotation 'v_Dance_g01_c01' .*{message}"):
        parser.parse(FRAMES, 'v_Dance_g01_c01.avi', [0])


def test_a_file_of_another_form_is_refused(tmp_path: Path) -> None:
    path = tmp_path / 'a.npz'
    np.savez(path, keypoint=1, **{'a/img_shape': (2, 3)})
    with pytest.raises(UserError, match='holds no array NAME/keypoint'):
        KeypointFileParser(str(path))
    for content in (b'', b'PK\x03\x04', pickle.dumps({'annotations': []})):
        path.write_bytes(content)
        with pytest.raises(UserError, match=r'a\.npz is no \.npz, or damaged'):
            KeypointFileParser(str(path))


def test_damage_and_size_are_noticed_when_a_video_is_read(tmp_path: Path) -> None:
    path = Path(write(tmp_path / 'a.npz', annotation('a')))
    content = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        start = archive.getinfo('a/keypoint.npy').header_offset + 80
    for offset in range(start, start + 200, 20):
        path.write_bytes(content[:offset] + b'\xff\x00' + content[offset + 2 :])
        with pytest.raises(UserError, match=r'lacks or garbles .*/keypoint'):
            KeypointFileParser(str(path)).parse(FRAMES, 'a.avi', [0])
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as archive:
        archive.writestr('a/keypoint.npy', bytes((1 << 28) + 1))
    with pytest.raises(UserError, match='too large'):
        KeypointFileParser(str(path)).parse(FRAMES, 'a.avi', [0])


def conversion() -> str:
    """The program of the one line in the docs."""
    page = (ROOT / 'docs' / 'human_parsers.md').read_text(encoding='utf-8')
    (program,) = re.findall(r'^python -c "(.*pickle.*)" \S+ \S+$', page, re.M)
    return program


def test_pickles_are_refused_and_the_docs_convert_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    entries = [annotation('a'), annotation('b', keypoint_score=None)]
    content = {'split': {'train1': ['a']}, 'annotations': entries}
    Path('a.pkl').write_bytes(pickle.dumps(content, 2))
    with pytest.raises(UserError, match=r'a\.pkl is a pickle') as error:
        KeypointFileParser('a.pkl')
    assert 'docs/human_parsers.md' in str(error.value)
    monkeypatch.setattr(sys, 'argv', ['-c', 'a.pkl', 'a.npz'])
    exec(conversion(), {})
    expected = KeypointFileParser(write(tmp_path / 'b.npz', *entries))
    for name in 'ab':
        ours = KeypointFileParser('a.npz').parse(FRAMES, f'{name}.avi', [1, 4])
        assert torch.equal(ours, expected.parse(FRAMES, f'{name}.avi', [1, 4]))


def test_identity_and_the_online_way(tmp_path: Path) -> None:
    path = write(tmp_path / 'a.npz', annotation())
    parser = KeypointFileParser(path, sigma=0.05)
    identity = parser.identity()
    assert identity.pop('weights') != KeypointFileParser(
        write(tmp_path / 'b.npz', annotation('b'))
    ).identity().pop('weights')
    assert identity == {
        'name': 'KeypointFileParser',
        'label_set': 'coco_keypoints',
        'size': 56,
        'sigma': 0.05,
    }
    with pytest.raises(UserError, match='goes by the name of the video'):
        parser(FRAMES)
    with pytest.raises(UserError, match=r'c\.npz does not exist.*pyskl'):
        KeypointFileParser(str(tmp_path / 'c.npz'))

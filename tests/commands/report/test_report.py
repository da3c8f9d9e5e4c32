"""The whole command: what is in its page, what it leaves alone, what it refuses."""

import json
import re
import shutil
from html import unescape
from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from mmkd.commands.report.command_line import main
from mmkd.commands.report.network_sections import some_videos
from mmkd.evaluation import feature_tables
from tests.commands.report.checking import Page, check_page, open_image
from tests.commands.report.project import CLASSES

SECTIONS = [
    *('results', 'losses', 'accuracy', 'speed', 'agreement'),
    *('gallery', 'features', 'confusion', 'parts'),
]


@pytest.fixture
def project(written: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(written.parents[1])
    return written.parents[1]


def again(*arguments: str) -> Page:
    main([*arguments[:1], 'again.html', *arguments[1:]])
    return check_page(Path('again.html').read_text())


def section(page: str, key: str) -> str:
    start = page.index(f'<section id="{key}"')
    return page[start : page.index('</section>', start) + len('</section>')]


def test_the_page_is_whole_and_refers_to_nothing_outside(written: Path) -> None:
    html = written.read_text()
    page = check_page(html)
    assert [key for key in SECTIONS if key in page.ids] == SECTIONS
    assert set(SECTIONS) <= set(page.anchors)
    assert "default-src 'none'" in html
    assert 'class="absent"' not in html.replace('<p class="absent">Of ', '')
    for name in CLASSES:
        assert name in page.text
    assert [path.name for path in written.parent.iterdir()] == ['report.html']


def test_numbers_stand_with_their_protocol(written: Path) -> None:
    text = re.sub(r'<wbr>', '', section(written.read_text(), 'results'))
    page = Page(text)
    for words in ('kNN@1, by ours', 'retrieval, by ours', 'data/list.txt, 8 videos'):
        assert words in page.text
    assert 'R@1/5/10/20/50: 100.0 / 100.0' in page.text
    # 40 iterations of half a second; the last of the held-out accuracies.
    row = text[text.index('pretrain</th>') :]
    cells = re.findall(r'<td[^>]*>(.*?)</td>', row)[:8]
    assert cells[:2] == ['4', '0.3']
    assert cells[3:] == ['80.0', '40', '50', '25', '<code>epoch_4.pth</code>']


def test_curves_end_where_the_log_does(written: Path) -> None:
    html = written.read_text().replace('<wbr>', '')
    accuracy = Page(section(html, 'accuracy')).text
    assert 'parsing/acc (batch): 97.5' in accuracy
    assert 'held_out/parsing/acc: 80' in accuracy
    assert 'top1_acc (batch): 50' in accuracy
    assert 'share of time (%)' in Page(section(html, 'speed')).text
    assert 'skd/agreement: 0.974' in Page(section(html, 'agreement')).text


def test_the_gallery_moves_and_every_verdict_is_right(written: Path) -> None:
    html = section(written.read_text(), 'gallery')
    rows = html.split('<div class="row">')[1:]
    # Two queries of the trained, two of the untrained network, four of the
    # eight training videos being of each class.
    assert len(rows) == 4
    for row in rows:
        kinds = re.findall(r'<figure class="clip (\w+)">', row)
        assert kinds[0] == 'query' and len(kinds) == 6
        titles = re.findall(r'<figcaption><b>(.*?)</b>', row)
        truth = titles[0].removeprefix('query: ')
        for kind, title in zip(kinds[1:], titles[1:], strict=True):
            sign, name = title.split(' ', 1)
            assert (kind == 'right') == (name == truth) == (sign == '✓')
        # Each video is twice in the list: it finds itself, and its double.
        assert kinds[1:3] == ['right', 'right']
    pictures = [open_image(uri) for uri in Page(html).images]
    moving = [getattr(picture, 'n_frames', 1) for picture in pictures]
    assert max(moving) > 1
    assert set(moving) <= {1, 6, 7, 8}
    assert moving.count(1) == len(moving) // 2


def test_features_before_and_after_and_confusions(written: Path) -> None:
    html = written.read_text()
    maps = re.findall(r'<h4>(.*?)</h4>', section(html, 'features'))
    assert maps == ['untrained', 'pretrain, epoch 4', 'finetune, epoch 4']
    confusions = re.findall(r'<h4>(.*?)</h4>', section(html, 'confusion'))
    assert confusions == ['found, kNN@1', 'finetune, epoch 4']
    assert '100.0 % are right' in section(html, 'confusion')


def test_part_maps_of_teacher_and_student(written: Path) -> None:
    html = section(written.read_text(), 'parts')
    rows = [unescape(x) for x in re.findall(r'<span>([^<]*)</span><img', html)]
    wanted = ['clip', "parser's map", 'the same, in cells', 'student predicts']
    assert rows == wanted * 3
    assert 'The student answers for 2 x 2 x 2 cells' in Page(html).text


def test_a_second_report_computes_nothing(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise AssertionError('computed again')

    monkeypatch.setattr(feature_tables, 'fill_store', fail)
    again('work', '--config', 'configs/toy/tiny.py')
    assert Path('again.html').read_text() == Path('out/report.html').read_text()


def test_without_features_nothing_is_executed(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise AssertionError('a config was executed')

    monkeypatch.setattr(Config, 'fromfile', fail)
    page = again('work', '--no-features')
    assert 'Features need the network and its config' in page.text
    assert 'Part maps need the network' in page.text
    assert 'kNN@1, by ours' in page.text
    assert 'warning' not in capsys.readouterr().err


def plant(path: Path) -> Path:
    """Write a config that leaves a file beside it when it is executed."""
    marker = path.with_name('executed')
    path.parent.mkdir(parents=True, exist_ok=True)
    code = f"model = dict(cls_head=dict())\nopen({str(marker)!r}, 'w').close()\n"
    path.write_text(code)
    return marker


@pytest.fixture
def received(project: Path, tmp_path: Path) -> Path:
    """A folder from somebody else, with a report that names a config elsewhere."""
    shutil.copytree(project / 'work/finetune', tmp_path / 'sent/finetune')
    report = json.loads((project / 'work/found/metrics.json').read_text())
    report['config'] = str(tmp_path / 'elsewhere/config.py')
    (tmp_path / 'sent/metrics.json').write_text(json.dumps(report))
    return tmp_path / 'sent'


def test_a_received_folder_runs_nothing_without_features(received: Path) -> None:
    kept = received / 'finetune/20260101_000001/vis_data/config.py'
    markers = [plant(kept), plant(received.parent / 'elsewhere/config.py')]
    again(str(received), '--no-features')
    assert [marker.exists() for marker in markers] == [False, False]


def test_a_config_outside_the_folders_is_not_executed(received: Path, capsys) -> None:
    marker = plant(received.parent / 'elsewhere/config.py')
    page = again(str(received))
    assert not marker.exists()
    assert 'a program outside of the folders of this page' in page.text
    out = capsys.readouterr().out
    assert 'runs as programs (--no-features runs none)' in out
    assert 'elsewhere' not in out
    again(str(received), '--trust', str(marker.parent))
    assert marker.exists()


def test_what_is_not_there_is_said_calmly(project: Path, tmp_path: Path) -> None:
    source = project / 'work/finetune/20260101_000001'
    shutil.copytree(source, tmp_path / 'bare/20260101_000001')
    page = again(str(tmp_path / 'bare'))
    for line in (
        'No test and no evaluation lies here',
        'Online kNN: not logged',
        'Speed: not logged',
        'No accuracy of a pretext task on held-out videos was logged',
        'No training logged the agreement of a student with a teacher',
        'No retrieval gallery: no network with a test list lies here',
        'No training here distils a human parser',
    ):
        assert line in page.text


def test_videos_that_are_gone_cost_their_pictures_only(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    shutil.copytree(project / 'work', tmp_path / 'work')
    monkeypatch.chdir(tmp_path)
    page = again('work')
    assert 'data/list.txt' in page.text
    assert 'loss' in page.text
    assert 'Traceback' not in capsys.readouterr().err


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['work', 'report.txt'], 'report.txt, is the page to write and must end in'),
        (['work/found', 'work'], 'work, is the page to write and must end in .html'),
        (['out.html'], 'no work folder stands before out.html'),
        (['nothing', 'out.html'], 'nothing is not a folder'),
        (['configs', 'out.html'], 'configs holds no training and no report'),
        (['work', 'o.html', '--reports', 'data/list.txt'], 'list.txt is no report of'),
        (['work', 'o.html', '--config', 'gone.py'], 'config gone.py does not exist'),
        (['work', 'o.html', '--data', 'gone'], '--data gone'),
    ],
)
def test_mistakes_are_one_line(
    project: Path, arguments: list[str], message: str, capsys
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    error = capsys.readouterr().err
    assert stopped.value.code == 2
    assert error.count('\n') == 1 and message in error
    assert not (project / 'o.html').exists()
    assert not (project / 'out.html').exists()


def test_only_some_videos_are_drawn() -> None:
    labels = torch.arange(20).repeat(3)
    assert some_videos(labels).tolist() == [
        n for n in range(60) if labels[n].item() < 12
    ]
    many = some_videos(torch.zeros(2500, dtype=torch.int64))
    assert many.tolist() == list(range(0, 2500, 3))

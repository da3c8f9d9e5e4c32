"""A config of ours is named without its folder."""

from pathlib import Path

from mmkd.engine.command_line import read_config
from mmkd.engine.options import config_path, default_work_dir, train_parser
from tests.shared_files import ROOT


def test_a_config_of_the_package() -> None:
    args = train_parser().parse_args(['mmkd::vspp/r3d_k100.py'])
    assert Path(args.config).samefile(ROOT / 'configs/vspp/r3d_k100.py')
    assert list(read_config(args.config).model.tasks) == ['vspp']
    assert Path(default_work_dir(args.config)) == Path('work_dirs/vspp/r3d_k100')


def test_other_paths_stay() -> None:
    for path in ('configs/vspp/r3d_k100.py', '/a/b.py', 'mmaction::x.py'):
        assert config_path(path) == path

"""Every method's folder says what is in it, in the form that MIM reads."""

from pathlib import Path

import pytest
import yaml

from tests.shared_files import ROOT

METAFILES = sorted((ROOT / 'configs').glob('*/metafile.yml'))


COLLECTIONS = {
    entry['Name']: entry
    for path in METAFILES
    for entry in yaml.safe_load(path.read_text()).get('Collections') or []
}


@pytest.mark.parametrize('path', METAFILES, ids=lambda path: path.parent.name)
def test_a_metafile_lists_every_config_of_its_folder(path: Path) -> None:
    content = yaml.safe_load(path.read_text())
    for collection in content.get('Collections') or []:
        assert (ROOT / collection['README']).is_file()
        assert collection['Paper']['URL'].startswith('https://')
    models = content['Models']
    listed = {model['Config'] for model in models}
    there = {str(p.relative_to(ROOT)) for p in path.parent.glob('*.py')}
    assert listed == there
    names = [model['Name'] for model in models]
    assert len(set(names)) == len(names)
    for model in models:
        assert model['In Collection'] in COLLECTIONS
        assert {'Architecture', 'Training Data'} <= set(model['Metadata'])
        # Results are those of weights; tests/zoo/test_shipped.py checks these.
        assert 'Results' not in model or 'Weights' in model


def test_every_method_has_one() -> None:
    folders = {path.parent.name for path in METAFILES}
    assert {'auxskd', 'vspp', 'vcop', 'pace', 'rotation', 'finetune'} <= folders
    assert {'selfdistill', 'kd', 'pcl_kd'} <= folders


def test_the_index_imports_every_metafile() -> None:
    index = yaml.safe_load((ROOT / 'model-index.yml').read_text())['Import']
    assert sorted(index) == [str(path.relative_to(ROOT)) for path in METAFILES]

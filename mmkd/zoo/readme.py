"""The tables of published models: in the README of the zoo, and of their figures."""

from pathlib import Path
from typing import Any

from mmkd.errors import UserError
from mmkd.files import write_text
from mmkd.zoo.index import Index, ZooModel

BEGIN, END = '<!-- table -->', '<!-- end of table -->'


def markdown_table(models: list[ZooModel]) -> str:
    """Return the published models as a table in Markdown, sorted by name.

    Args:
        models: Models with weights.
    """
    lines = [
        '| model | method | config | trained | measured | files |',
        '|---|---|---|---|---|---|',
    ]
    for model in sorted(models, key=lambda model: model.name):
        files = ', '.join(f'[{_kind(f.name)}]({f.name})' for f in model.files)
        lines.append(
            f'| `{model.name}` | {model.collection} '
            f'| [{Path(model.config).name}](../{model.config}) '
            f'| {_trained(model)} | {"; ".join(figures(model))} '
            f'| {files}, {model.metadata.get("Stored As", "")} |'
        )
    return '\n'.join(lines)


def _kind(name: str) -> str:
    return Path(name).suffix.removeprefix('.')


def _trained(model: ZooModel) -> str:
    said = model.metadata
    epochs = f'epochs {said["Epochs"]}' if 'Epochs' in said else ''
    return '; '.join(filter(None, (epochs, str(said.get('Note', '')))))


def figures(model: ZooModel) -> list[str]:
    """Return the main figures of a model in percent, those measured alike together.

    Main are top-1 and the recall among 1 and 5, of the plain form of the features; the
    metafile has them all. E.g. ``R@1 41.67, R@5 60.00 (synthetic d24e17b7, preset ours,
    seed 0)``, where the digits are of the test list's SHA-256.

    Args:
        model: A published model.
    """
    groups = {
        how: ', '.join(f'{_short(name)} {value}' for name, value in found.items())
        for how, found in main_figures(model).items()
    }
    return [f'{found} ({how})' for how, found in groups.items()]


def main_figures(model: ZooModel) -> dict[str, dict[str, str]]:
    """Return the main figures of a model in percent, by how they were measured.

    Args:
        model: A published model.

    Returns:
        ``{'synthetic d24e17b7, preset ours, seed 0': {'R@1': '12.50', ...}, ...}``
    """
    groups: dict[str, dict[str, str]] = {}
    for result in model.results:
        listed = result.get('Test List') or {}
        digits = str(listed.get('SHA256', ''))[:8]
        source = ', '.join([f'{result["Dataset"]} {digits}'.strip(), *_ways(result)])
        for name, value in result['Metrics'].items():
            if is_main(name):
                groups.setdefault(source, {})[name] = f'{100 * value:.2f}'
    return groups


def results_table(models: list[ZooModel]) -> str:
    """Return the main figures as a table in Markdown: one line a model and way.

    Args:
        models: Models with weights.
    """
    columns = ('linear/top1', 'kNN@20/top1', 'R@1', 'R@5', 'finetune/top1', 'acc/top1')
    lines = [
        '| model | trained | linear | kNN@20 | R@1 | R@5 | fine-tuned | test | on |',
        '|---|---|---|---|---|---|---|---|---|',
    ]
    for model in sorted(models, key=lambda model: model.name):
        for source, found in main_figures(model).items():
            cells = [found.get(column, '') for column in columns]
            lines.append(
                f'| `{model.name}` | {_trained(model)} | {" | ".join(cells)} '
                f'| {source} |'
            )
    return '\n'.join(lines)


def _short(name: str) -> str:
    return 'top-1' if name == 'acc/top1' else name.removesuffix('/top1')


def is_main(name: str) -> bool:
    """Return whether a figure is shown in tables."""
    return name in ('R@1', 'R@5', 'acc/top1') or (
        name.endswith('/top1') and 'plain' not in name
    )


def how(result: dict[str, Any]) -> str:
    """Return data set, protocol, preset, split and seed of a result, as far as set."""
    parts = [str(result['Dataset']), str(result.get('Protocol', '')), *_ways(result)]
    return ', '.join(part for part in parts if part)


def _ways(result: dict[str, Any]) -> list[str]:
    said = [
        f'{key.lower()} {result[key]}'
        for key in ('Preset', 'Split', 'Seed')
        if result.get(key) is not None
    ]
    # What changes the network follows from the model; the rest is another protocol.
    changed = result.get('Options', {}).get('Cfg Options', [])
    return said + [option for option in changed if not option.startswith('model.')]


def write_tables(index: Index, folder: Path) -> None:
    """Bring the tables of the zoo up to date: its README, and the page of results.

    Args:
        index: The index; ``docs/results.md`` lies beside it, where there is one.
        folder: Folder of the zoo, with its ``README.md``, where there is one.

    Raises:
        UserError: If a page has no place for its table, or cannot be written.
    """
    models = index.published()
    write_table(folder / 'README.md', markdown_table(models))
    write_table(index.root / 'docs/results.md', results_table(models))


def write_table(path: Path, table: str) -> None:
    """Put a table into a page, in the place of what is between the two marks.

    Args:
        path: The page; nothing is done where it is not there.
        table: In Markdown.

    Raises:
        UserError: If the page has no place for the table, or cannot be written.
    """
    if not path.is_file():
        return
    head, begin, rest = path.read_text(encoding='utf-8').partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not (begin and end):
        raise UserError(f'{path} has no lines {BEGIN} and {END}', 'Add them.')
    write_text(path, f'{head}{BEGIN}\n{table}\n{END}{tail}')

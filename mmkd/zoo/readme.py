"""The table of published models in the README of the zoo."""

from pathlib import Path

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
    groups: dict[str, list[str]] = {}
    for result in model.results:
        listed = result.get('Test List') or {}
        digits = str(listed.get('SHA256', ''))[:8]
        source = ', '.join([f'{result["Dataset"]} {digits}'.strip(), *_ways(result)])
        groups.setdefault(source, []).extend(
            f'{_short(name)} {100 * value:.2f}'
            for name, value in result['Metrics'].items()
            if is_main(name)
        )
    return [f'{", ".join(said)} ({how})' for how, said in groups.items() if said]


def _short(name: str) -> str:
    return 'top-1' if name == 'acc/top1' else name.removesuffix('/top1')


def is_main(name: str) -> bool:
    """Return whether a figure is shown in tables."""
    return name in ('R@1', 'R@5', 'acc/top1') or (
        name.endswith('/top1') and 'plain' not in name
    )


def how(result: dict[str, object]) -> str:
    """Return data set, protocol, preset, split and seed of a result, as far as set."""
    parts = [str(result['Dataset']), str(result.get('Protocol', '')), *_ways(result)]
    return ', '.join(part for part in parts if part)


def _ways(result: dict[str, object]) -> list[str]:
    return [
        f'{key.lower()} {result[key]}'
        for key in ('Preset', 'Split', 'Seed')
        if result.get(key) is not None
    ]


def write_readme(index: Index, folder: Path) -> None:
    """Bring the table of ``README.md`` up to date, where a folder has one.

    Args:
        index: The index.
        folder: Folder of the zoo.

    Raises:
        UserError: If the README has no place for the table, or cannot be written.
    """
    path = folder / 'README.md'
    if not path.is_file():
        return
    text = path.read_text(encoding='utf-8')
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not (begin and end):
        raise UserError(f'{path} has no lines {BEGIN} and {END}', 'Add them.')
    table = markdown_table(index.published())
    write_text(path, f'{head}{BEGIN}\n{table}\n{END}{tail}')

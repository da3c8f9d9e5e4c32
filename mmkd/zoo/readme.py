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
        '| model | method | config | weights | stored as | measured | log |',
        '|---|---|---|---|---|---|---|',
    ]
    for model in sorted(models, key=lambda model: model.name):
        weights = ', '.join(f'[{f.name}]({f.name})' for f in model.weights)
        log = f'[log]({model.log.name})' if model.log else ''
        lines.append(
            f'| `{model.name}` | {model.collection} '
            f'| [{Path(model.config).name}](../{model.config}) | {weights} '
            f'| {model.metadata.get("Stored As", "")} '
            f'| {"; ".join(figures(model))} | {log} |'
        )
    return '\n'.join(lines)


def figures(model: ZooModel) -> list[str]:
    """Return every figure of a model with its protocol, e.g. ``R@1 41.67 % (...)``."""
    return [
        f'{name} {100 * value:.2f} % ({how(result)})'
        for result in model.results
        for name, value in result['Metrics'].items()
    ]


def how(result: dict[str, object]) -> str:
    """Return data set, protocol, preset, split and seed of a result, as far as set."""
    parts = [str(result['Dataset']), str(result.get('Protocol', ''))]
    for key in ('Preset', 'Split', 'Seed'):
        if result.get(key) is not None:
            parts.append(f'{key.lower()} {result[key]}')
    return ', '.join(part for part in parts if part)


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

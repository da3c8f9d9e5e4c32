"""What the zoo has, for people: tables in pages and on a terminal."""

from pathlib import Path
from typing import Any

from rich.table import Table

from mmkd.files import write_table
from mmkd.transfer.model_index import Index, ZooModel


def markdown_table(models: list[ZooModel]) -> str:
    """Return published models as a table in Markdown, sorted by name."""
    lines = [
        '| model | method | config | trained | measured | files |',
        '|---|---|---|---|---|---|',
    ]
    for model in sorted(models, key=lambda model: model.name):
        files = ', '.join(f'[{Path(f.name).suffix[1:]}]({f.name})' for f in model.files)
        lines.append(
            f'| `{model.name}` | {model.collection} '
            f'| [{Path(model.config).name}](../{model.config}) '
            f'| {_trained(model)} | {"; ".join(metric_lines(model))} '
            f'| {files}, {model.metadata.get("Stored As", "")} |'
        )
    return '\n'.join(lines)


def _trained(model: ZooModel) -> str:
    said = model.metadata
    epochs = f'epochs {said["Epochs"]}' if 'Epochs' in said else ''
    return '; '.join(filter(None, (epochs, str(said.get('Note', '')))))


def metric_lines(model: ZooModel) -> list[str]:
    """Return the main metrics of a model in percent, those measured alike together.

    Main are top-1 and the recall among 1 and 5, of the plain form of the features; the
    metafile has them all. E.g. ``R@1 41.67, R@5 60.00 (synthetic d24e17b7, preset ours,
    seed 0)``, where the digits are of the test list's SHA-256.
    """
    lines = []
    for source, found in main_metrics(model).items():
        short = {
            'top-1' if name == 'acc/top1' else name.removesuffix('/top1'): value
            for name, value in found.items()
        }
        each = ', '.join(f'{name} {value}' for name, value in short.items())
        lines.append(f'{each} ({source})')
    return lines


def main_metrics(model: ZooModel) -> dict[str, dict[str, str]]:
    """Return the main metrics of a model in percent, by how they were measured.

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
    """Return the main metrics as a table in Markdown: one line a model and way."""
    columns = ('linear/top1', 'kNN@20/top1', 'R@1', 'R@5', 'finetune/top1', 'acc/top1')
    lines = [
        '| model | trained | linear | kNN@20 | R@1 | R@5 | fine-tuned | test | on |',
        '|---|---|---|---|---|---|---|---|---|',
    ]
    for model in sorted(models, key=lambda model: model.name):
        for source, found in main_metrics(model).items():
            cells = [found.get(column, '') for column in columns]
            lines.append(
                f'| `{model.name}` | {_trained(model)} | {" | ".join(cells)} '
                f'| {source} |'
            )
    return '\n'.join(lines)


def is_main(name: str) -> bool:
    """Return whether a metric is shown in tables."""
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

    The pages are ``folder/README.md`` and ``docs/results.md`` beside the index, if they
    are there.

    Raises:
        UserError: If a page has no marks for its table, or cannot be written.
    """
    models = index.published()
    pages = {
        folder / 'README.md': markdown_table(models),
        index.root / 'docs/results.md': results_table(models),
    }
    for page, table in pages.items():
        if page.is_file():
            write_table(page, table)


def select(
    index: Index,
    text: str = '',
    method: str | None = None,
    data: str | None = None,
    weights: bool = False,
) -> list[ZooModel]:
    """Return the models that fit, in the order of the index; case does not count.

    ``text`` is part of the name or architecture, ``method`` and ``data`` of theirs;
    ``weights`` leaves out recipes.
    """
    found = []
    for model in index.models.values():
        parts = (
            (text, f'{model.name} {model.metadata.get("Architecture", "")}'),
            (method, model.collection),
            (data, str(model.metadata.get('Training Data', ''))),
        )
        fits = all(not part or part.lower() in whole.lower() for part, whole in parts)
        if fits and (model.weights or not weights):
            found.append(model)
    return found


def listing(models: list[ZooModel]) -> Table:
    """Return one line a model."""
    result = Table()
    for heading in ('name', 'method', 'architecture', 'training data', 'weights'):
        result.add_column(heading, overflow='fold')
    for model in models:
        result.add_row(
            model.name,
            model.collection,
            str(model.metadata.get('Architecture', '')),
            str(model.metadata.get('Training Data', '')),
            size(model.weights[0].size) if model.weights else 'recipe',
        )
    return result


def page(model: ZooModel) -> str:
    """Return all that the index says of a model."""
    lines = [
        f'name           {model.name}',
        f'method         {model.collection}',
        f'config         {model.config}',
        *(f'{key.lower():14} {value}' for key, value in model.metadata.items()),
    ]
    trained = model.entry.get('Training List')
    if trained:
        lines.append(f'trained on     {trained["Path"]} (SHA-256 {trained["SHA256"]})')
    for file in model.files:
        kind = 'training log' if file is model.log else 'weights'
        told = f'{size(file.size)}, SHA-256 {file.sha256}'
        lines.append(f'{kind:14} {file.name} ({told})')
    if not model.weights:
        lines.append('weights        none: a recipe, not trained')
    for result in model.results:
        listed = result.get('Test List') or {}
        lines += [
            f'measured       {how(result)}, by {result.get("Measured By")} on '
            f'{listed.get("Path")} (SHA-256 {listed.get("SHA256")})',
            *(
                f'               {name} {100 * value:.2f} %'
                for name, value in result['Metrics'].items()
            ),
        ]
    return '\n'.join(lines)


def size(length: int) -> str:
    """Return a length in bytes for people: ``1.9 MB`` is 1,900,000 bytes."""
    return f'{length / 1e6:.1f} MB' if length >= 1e5 else f'{length / 1e3:.1f} kB'

"""What the zoo has, for people: a table of all, a page of one."""

from rich.table import Table

from mmkd.zoo.index import Index, ZooModel
from mmkd.zoo.readme import how


def select(
    index: Index,
    text: str = '',
    method: str | None = None,
    data: str | None = None,
    weights: bool = False,
) -> list[ZooModel]:
    """Return the models that fit, in the order of the index; case does not count.

    Args:
        index: The index.
        text: Part of the name or architecture.
        method: Part of the name of the method.
        data: Part of the name of the training data.
        weights: Leave out recipes.
    """

    def fits(model: ZooModel) -> bool:
        architecture = str(model.metadata.get('Architecture', ''))
        trained_on = str(model.metadata.get('Training Data', ''))
        return (
            _within(text, f'{model.name} {architecture}')
            and _within(method, model.collection)
            and _within(data, trained_on)
            and bool(model.weights or not weights)
        )

    return [model for model in index.models.values() if fits(model)]


def _within(part: str | None, whole: str) -> bool:
    return not part or part.lower() in whole.lower()


def table(models: list[ZooModel]) -> Table:
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
    for file in model.weights:
        lines.append(f'weights        {_described(file.name, file.size, file.sha256)}')
    if not model.weights:
        lines.append('weights        none: a recipe, not trained')
    if model.log:
        log = model.log
        lines.append(f'training log   {_described(log.name, log.size, log.sha256)}')
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


def _described(name: str, length: int, digest: str) -> str:
    return f'{name} ({size(length)}, SHA-256 {digest})'


def size(length: int) -> str:
    """Return a length in bytes for people: ``1.9 MB`` is 1,900,000 bytes."""
    return f'{length / 1e6:.1f} MB' if length >= 1e5 else f'{length / 1e3:.1f} kB'

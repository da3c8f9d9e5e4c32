"""Take values out of JSON that anybody may have written."""

import json
import math
from typing import Any

from mmkd.errors import UserError


def parse_object(data: bytes, where: object) -> dict[str, Any]:
    """Parse a JSON object.

    Raises:
        UserError: If it is anything else.
    """
    try:
        value = json.loads(data)
    # Deep nesting ends in a RecursionError.
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise UserError(f'{where} holds no JSON object', 'Extract the maps again.')
    return value


class Fields:
    """Typed access to the values of a JSON object.

    Args:
        values: The object.
        where: What an error names: file, and place in it.
    """

    def __init__(self, values: object, where: object) -> None:
        self.where = where
        self.values = values if isinstance(values, dict) else {}

    def inner(self, key: str) -> 'Fields':
        """Return an object within the object."""
        return Fields(self.values.get(key), f'{self.where}, {key}')

    def whole(self, key: str, low: int, high: int) -> int:
        """Return a whole number of ``[low, high]``.

        Raises:
            UserError: If there is none.
        """
        value = self.values.get(key)
        if type(value) is not int or not low <= value <= high:
            raise self.error(key, f'a whole number from {low} to {high}')
        return value

    def number(self, key: str) -> float:
        """Return a finite number that is not negative.

        Raises:
            UserError: If there is none.
        """
        value = self.values.get(key)
        try:
            number = float(value) if isinstance(value, int | float) else math.nan
        except OverflowError:
            number = math.nan
        if not 0 <= number < math.inf:
            raise self.error(key, 'a finite number')
        return number

    def text(self, key: str) -> str:
        """Return a text.

        Raises:
            UserError: If there is none.
        """
        value = self.values.get(key)
        if not isinstance(value, str):
            raise self.error(key, 'a text')
        return value

    def error(self, key: str, wanted: str) -> UserError:
        """Return the error that ``key`` is not what is wanted."""
        found = repr(self.values.get(key))[:60]
        return UserError(
            f'{self.where}: {key} is {found}, not {wanted}', 'Extract the maps again.'
        )

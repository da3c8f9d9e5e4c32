"""Choose between the rule of the official code and our repair of it."""

from typing import Literal, get_args

from mmkd.errors import UserError

#: ``'ours'`` repairs what is faulty in the official code, ``'official'`` repeats it.
Rule = Literal['ours', 'official']


def check_rule(
    owner: str, rule: str, released: object = None, flag: str = 'released'
) -> bool:
    """Return whether the option ``rule`` of a class, its owner, asks for the official.

    Raises:
        UserError: If there is no such rule, or the flag that it replaced is given.

    Example:
        >>> check_rule('PaceViews', 'ours'), check_rule('PaceViews', 'official')
        (False, True)
    """
    if released is not None or isinstance(rule, bool):
        value = rule if released is None else released
        raise UserError(
            f'{owner}: the option {flag}={value} is now called rule',
            f"Write rule='{'official' if value else 'ours'}'.",
        )
    if rule not in get_args(Rule):
        raise UserError(
            f'{owner}: there is no rule {rule!r}',
            f'Use one of {", ".join(get_args(Rule))}.',
        )
    return rule == 'official'

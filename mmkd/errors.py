"""Define the error for mistakes of a user: what is wrong, where, what to do."""


def printable(text: object) -> str:
    r"""Return a text that does nothing to a terminal, whoever chose it.

    Names of files and texts of received files may hold control codes, which colour,
    erase or imitate lines; letters of any script stay as they are.

    Example:
        >>> printable('a\x1b[2Jb')
        'a\\x1b[2Jb'
    """
    return ''.join(
        char if char.isprintable() else char.encode('unicode_escape').decode()
        for char in str(text)
    )


class UserError(Exception):
    """Mistake that the user can fix: bad data, a bad path, a bad option.

    Command lines print it as one line without a trace-back and exit with status 2.

    Args:
        what: What is wrong, and where (file, line, key).
        remedy: What to do, as an imperative sentence. Empty if nothing is known.

    Example:
        >>> str(UserError('data/list.txt is empty', 'Write one clip a line.'))
        'data/list.txt is empty. Write one clip a line.'
    """

    def __init__(self, what: str, remedy: str = '') -> None:
        self.what = what
        self.remedy = remedy
        super().__init__(f'{what.rstrip(".")}. {remedy}' if remedy else what)

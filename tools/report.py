"""Write one page about trainings and what became of them, to be opened anywhere."""

import mmkd.engine  # noqa: F401  (first: it sets how threads wait, before torch loads)
from mmkd.commands.report.command_line import main

if __name__ == '__main__':
    main()

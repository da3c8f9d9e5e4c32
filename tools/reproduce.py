"""Run the papers' central claims at a small scale."""

from pathlib import Path

from mmkd.commands.reproduce.command_line import run


def main(argv: list[str] | None = None) -> None:
    run(Path(__file__).resolve().parent, argv)


if __name__ == '__main__':
    main()

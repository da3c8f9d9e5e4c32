"""Train a config for every point of a grid of options, into one table."""

from pathlib import Path

from mmkd.commands.sweep import run


def main(argv: list[str] | None = None) -> None:
    run(Path(__file__).parent, argv)


if __name__ == '__main__':
    main()

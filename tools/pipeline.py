"""Run a chain of trainings and tests, and continue it where it stopped."""

from pathlib import Path

from mmkd.commands.pipeline.command_line import run


def main(argv: list[str] | None = None) -> None:
    run(Path(__file__).parent, argv)


if __name__ == '__main__':
    main()

"""Print how the gates of pre-trainings stand, as a Markdown table."""

from mmkd.commands.gates import main

if __name__ == '__main__':
    main()

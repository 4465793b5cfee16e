"""Entry point of ``python -m airunway.cli``."""

from airunway.cli.entry_point import main

main()

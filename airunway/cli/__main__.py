"""Entry point of ``python -m airunway.cli``."""

from airunway.cli.main import main

main()

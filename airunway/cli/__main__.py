"""``python -m airunway.cli`` is ``airunway``."""

from airunway.cli.main import main

main()

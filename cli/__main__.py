"""``python -m cli`` is ``airunway``."""

from cli.main import main

main()

"""Where ``airunway`` starts: nothing is imported before Ctrl-C is told in a line."""

import sys


def main() -> None:
    """Run the command line; Ctrl-C exits with 130, also while it still loads."""
    try:
        from airunway.cli.main import main as run

        run()
    except KeyboardInterrupt:
        import signal

        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second one would interrupt the ending
        sys.stderr.write("Interrupted.\n")
        sys.exit(130)

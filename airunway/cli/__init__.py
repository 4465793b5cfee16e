"""The ``airunway`` command."""

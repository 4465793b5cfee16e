"""The project on disk: stack files, settings, running the program without an engine, other revisions."""

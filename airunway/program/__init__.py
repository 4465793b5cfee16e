"""The project on disk: stack files, settings, the program without an engine, and other git revisions."""

"""The graph without an engine: record what the program registers, and print it."""

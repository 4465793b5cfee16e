"""Text and plain data: problems, YAML, merging, terminal output. Independent of models."""

"""Texts and plain data: what is wrong with them, YAML in and out, merging. Knows nothing of models."""

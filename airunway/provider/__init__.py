"""The contract of an inference provider, and the code that providers share."""

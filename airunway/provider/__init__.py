"""The contract of an inference provider, and what all of them share."""

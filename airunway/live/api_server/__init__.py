"""The API server of a stack's cluster, found and reached as kubectl finds and reaches it."""

"""The API server of a stack's cluster, located and accessed as kubectl does."""

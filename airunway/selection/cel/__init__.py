"""CEL with cel-go's semantics, on top of cel-python."""

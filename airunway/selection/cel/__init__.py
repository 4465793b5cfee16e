"""CEL as cel-go means it, on top of cel-python."""

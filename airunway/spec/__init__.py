"""What a person asks for: the spec of a model deployment, and what is checked about it alone."""

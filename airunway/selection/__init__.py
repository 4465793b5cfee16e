"""Selection of a deployment's engine and provider."""

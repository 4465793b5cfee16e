"""The spec of a model deployment, and the checks that need nothing else."""

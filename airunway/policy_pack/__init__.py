"""Policies as a Pulumi policy pack: its folder, and what it judges of a stack that any program registers."""

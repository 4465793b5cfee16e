"""Which engine and which provider a deployment gets."""

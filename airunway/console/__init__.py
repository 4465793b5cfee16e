"""The local web console: pages that edit a stack file and run Pulumi on it, never the cluster behind its back."""

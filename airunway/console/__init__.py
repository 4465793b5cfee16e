"""The local web console: pages that edit stack files and run Pulumi, and never change the cluster directly."""

"""Model deployments on Kubernetes as a Pulumi program: what the program, its command and its console are made of."""

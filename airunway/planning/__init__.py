"""A whole stack: its settings, its deployments, and everything decided about them before a resource is created."""

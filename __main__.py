"""The Pulumi program: plan the stack from its configuration, then create the platform and each deployment."""

from components.stack_program import serve_stack

serve_stack()

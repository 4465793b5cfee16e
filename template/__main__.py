"""The Pulumi program: plan the stack from its configuration, then create all that it needs."""

from components.stack_program import serve_stack

serve_stack()

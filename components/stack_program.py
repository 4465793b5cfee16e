"""The whole Pulumi program of a project: ``serve_stack()`` is all that its ``__main__.py`` needs."""

import gc
import os
import signal
import threading

import pulumi

from airunway.program.stack_config import plan_from_config
from components.model_serving import serve


def serve_stack() -> None:
    """Plan the stack from its configuration, create the platform and each deployment, and export their outputs.

    Raises ``pulumi.RunError`` with every problem of the configuration.
    """
    # With Python's default threshold, garbage collection takes two fifths of a preview of 1,000 deployments.
    gc.set_threshold(50_000, 20, 20)
    # The language host interrupts the program when an update is cancelled. Without this handler Python would print a
    # traceback and exit before the engine calls the hooks of the cancelled operations.
    if "PULUMI_CONFIG" in os.environ:
        signal.signal(signal.SIGINT, lambda *_: threading.Timer(1, os._exit, [130]).start())
    plan, secrets = plan_from_config()
    pulumi.export("deployments", serve(plan, secrets))

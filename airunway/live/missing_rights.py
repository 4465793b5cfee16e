"""The rights that operating a deployment takes, and the error of an account that lacks one."""

from dataclasses import dataclass

from airunway.text.problems import InputError, Problem


@dataclass(frozen=True)
class Access:
    """Verbs on a resource of the core API group."""

    resource: str
    verbs: tuple[str, ...]


PODS = Access("pods", ("list",))
EVENTS = Access("events", ("list",))
LOGS = Access("pods/log", ("get",))
SERVICES = Access("services", ("get",))
PORT_FORWARDS = Access("pods/portforward", ("get", "create"))
"""A websocket begins with GET, and from Kubernetes 1.35 the API server also wants ``create`` of who opens it (seen of
kube-apiserver 1.36.1)."""
OPERATING = (PODS, EVENTS, LOGS, SERVICES, PORT_FORWARDS)


class MissingRightError(InputError):
    """The account may not do ``access`` in ``namespace``; ``reason`` is what the API server says."""

    def __init__(self, namespace: str, access: Access, reason: str) -> None:
        done = "opened" if "create" in access.verbs else "read"
        super().__init__([Problem(f"{access.resource} of {namespace}", f"may not be {done}: {reason}")])
        self.namespace, self.access = namespace, access

"""The message for an object that did not get ready in time."""

from collections.abc import Mapping
from typing import Any

from providers.rendering import GROUP


def _pod_label(kind: str) -> str:
    """Label that says on a pod which object it serves; the controller's shims have one of their own."""
    return f"{GROUP}/model-deployment" if kind == "ModelDeployment" else f"{GROUP}/deployment"


def failure_message(name: str, manifest: Mapping[str, Any], last: str) -> str:
    """Names deployment or build, kind and object, gives ``last`` (what Kubernetes said) and the commands that tell more."""
    kind, metadata = str(manifest["kind"]), manifest["metadata"]
    namespace, resource = metadata["namespace"], f"{kind.lower()}/{metadata['name']}"
    where = f"-n {namespace}"
    if kind == "Job":
        image = (metadata.get("annotations") or {}).get(f"{GROUP}/image", name)
        what = f"image {image} was not built by Job {namespace}/{metadata['name']}"
        look = [f"kubectl logs {where} {resource} --tail=50", f"kubectl describe {where} {resource}"]
    else:
        what = f"deployment {name}: {kind} {namespace}/{metadata['name']} did not get ready"
        selector = f"-l {_pod_label(kind)}={metadata['name']}"
        look = [
            f"kubectl describe {where} {resource}",
            f"kubectl get pods {where} {selector}",
            f"kubectl logs {where} {selector} --tail=50",
        ]
    said = " ".join(last.split())
    return "\n".join([what, *([f"  last seen: {said}"] if said else []), *(f"  look further: {command}" for command in look)])

"""Commands and code to copy that ask one deployment, with its own Service, port and model."""

import json
import shlex
from dataclasses import dataclass

from airunway.planning.deployment import PlannedDeployment
from airunway.provider import aikit
from airunway.spec.model import Engine

_PORT = 8000
_QUESTION = "Say hello."


@dataclass(frozen=True)
class Snippet:
    """Text to copy, and what it is for."""

    purpose: str
    text: str


def snippets(planned: PlannedDeployment, stack: str) -> dict[str, tuple[Snippet, ...]]:
    """Commands that ask the deployment or forward its port, and programs that ask the forwarded port."""
    name, stack = shlex.quote(planned.name), shlex.quote(stack)
    endpoint, namespace = planned.rendered.endpoint, planned.request.namespace
    return {
        "commands": (
            Snippet("From a terminal", f'airunway chat {name} "{_QUESTION}" --stack {stack}'),
            Snippet(
                f"Forward its port to {_PORT} of this machine",
                f"airunway endpoint {name} --stack {stack} --port-forward --port {_PORT}",
            ),
            Snippet(
                "The same with kubectl",
                f"kubectl port-forward -n {namespace} service/{endpoint.service} {_PORT}:{endpoint.port}",
            ),
        ),
        "programs": (
            Snippet("Ask the forwarded port with curl", _curl(served_name(planned))),
            Snippet("Ask the forwarded port with Python", _python(served_name(planned))),
        ),
    }


def served_name(planned: PlannedDeployment) -> str | None:
    """The name that the API answers to; None where image or operator choose one that is not known before it runs.

    KAITO names the model of a preset itself.
    """
    spec = planned.request.spec
    name = spec.model.served_name or aikit.served_name(spec)
    inference = planned.rendered.resource.get("inference") or {}
    chooses = planned.request.selection.engine is Engine.LLAMACPP or "preset" in inference
    return name if name or chooses else spec.model.id


def _curl(model: str | None) -> str:
    url = f"http://127.0.0.1:{_PORT}/v1"
    lines = []
    if model is None:
        lines.append(f"curl -s {url}/models   # says the MODEL to write below")
    body = json.dumps({"model": model or "MODEL", "messages": [{"role": "user", "content": _QUESTION}]})
    lines.append(f"curl {url}/chat/completions -H 'Content-Type: application/json' \\\n  -d {shlex.quote(body)}")
    return "\n".join(lines)


def _python(model: str | None) -> str:
    named = json.dumps(model) if model else "client.models.list().data[0].id"
    return "\n".join(
        [
            "from openai import OpenAI  # pip install openai",
            "",
            f'client = OpenAI(base_url="http://127.0.0.1:{_PORT}/v1", api_key="none")',
            "answer = client.chat.completions.create(",
            f"    model={named},",
            f'    messages=[{{"role": "user", "content": "{_QUESTION}"}}],',
            ")",
            "print(answer.choices[0].message.content)",
        ]
    )

"""Bad inputs to every command, made from valid ones: the same for a seed in each run."""

import json
import os
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random

import yaml

from airunway.console.fields import groups
from tests.deployments import CPU
from tests.fuzz.assessed_inputs import assessed_file, policy_cases
from tests.fuzz.made_input import BadInput
from tests.fuzz.mutations import ODD, changed, written
from tests.fuzz.valid_inputs import (
    CLOSED,
    DOCUMENT,
    FULL,
    KUBECONFIG,
    ROOT,
    SETTINGS,
    STACK_COMMANDS,
    bad_stacks,
    preview_document,
    provider_document,
    shipped_stacks,
    stack_of,
    valid_files,
)


def _of_stack(arguments: list[str]) -> list[str]:
    return [*arguments, "--stack", "own"]


def _command(random: Random) -> list[str]:
    return _of_stack(random.choice(STACK_COMMANDS))


def _saved() -> bytes:
    return json.dumps(preview_document()).encode()


def stack_file(random: Random) -> BadInput:
    base = random.choice(
        (
            stack_of(SETTINGS),
            stack_of(SETTINGS),
            *shipped_stacks(),
            *map(stack_of, bad_stacks()[:: len(bad_stacks()) // 9]),
        )
    )
    arguments = _command(random)
    files = {"stacks/Pulumi.own.yaml": written(changed(base, random), random)}
    return BadInput("stack file", arguments, files | ({"saved.json": _saved()} if "saved.json" in arguments else {}))


def named_file(random: Random) -> BadInput:
    name, value = random.choice(
        (
            ("deployments.yaml", [CPU | {"name": "filed"}, FULL | {"name": "filed-too"}]),
            ("manifest.yaml", DOCUMENT),
            ("provider.yaml", provider_document()),
        )
    )
    return BadInput(f"named file {name}", _of_stack(["preview"]), {name: written(changed(value, random), random)})


def controller_file(random: Random) -> BadInput:
    objects = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "airunway-system"}},
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "c", "namespace": "airunway-system"},
            "spec": {"replicas": 1},
        },
    ]
    settings = SETTINGS | {
        "delivery": "modeldeployment",
        "controller": {"manifests": ["controller.yaml"]},
        "deployments": [CPU],
    }
    files = {"stacks/Pulumi.own.yaml": json.dumps(stack_of(settings)).encode()}
    documents = b"\n---\n".join(written(changed(each, random), random) for each in objects)
    return BadInput("controller manifest", _of_stack(["preview"]), files | {"controller.yaml": documents})


def document(random: Random) -> BadInput:
    content = written(changed(DOCUMENT, random), random)
    command = random.choice(("select", "render"))
    if random.random() < 0.5:
        return BadInput("document", [command, "--file", "-"], stdin=content)
    return BadInput("document", [command, "--file", "m.yaml"], {"m.yaml": content})


def project_file(random: Random) -> BadInput:
    content = written(changed(yaml.safe_load((ROOT / "Pulumi.yaml").read_text()), random), random)
    return BadInput(
        "project file", _of_stack(random.choice((["preview"], ["schema", "--project"]))), {"Pulumi.yaml": content}
    )


def kubeconfig(random: Random) -> BadInput:
    content = written(changed(KUBECONFIG, random), random)
    arguments = _of_stack(
        random.choice((["status"], ["wait", "--timeout", "0s"], ["import"], ["endpoint", "cpu", "--port-forward"]))
    )
    context = random.choice(("x", "y"))
    if random.random() < 0.5:
        cluster = {"context": context, "kubeconfig": "kubeconfig"}
        files = {
            "stacks/Pulumi.own.yaml": json.dumps(stack_of(SETTINGS | {"cluster": cluster})).encode(),
            "kubeconfig": content,
        }
        return BadInput("kubeconfig", arguments, files)
    files = {
        "stacks/Pulumi.own.yaml": json.dumps(stack_of(SETTINGS | {"cluster": {"context": context}})).encode(),
        "k": content,
    }
    return BadInput("kubeconfig of the environment", arguments, files, {"KUBECONFIG": "k"})


def saved_preview(random: Random) -> BadInput:
    content = written(changed(preview_document(), random), random)
    formats = random.choice(("text", "json", "markdown", "mermaid", "html"))
    arguments = random.choice((["diff", "--format", formats], ["diff", "--format", formats], ["rbac"]))
    return BadInput("saved preview", _of_stack([*arguments, "--against", "saved.json"]), {"saved.json": content})


def chart(random: Random) -> BadInput:
    objects = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": "a", "namespace": "b"},
        "rules": [{"verbs": ["get"]}],
    }
    files = {"chart.yaml": written(changed(objects, random), random)}
    return BadInput("rendered chart", _of_stack(["rbac", "--manifests", "kuberay-operator=chart.yaml"]), files)


OPTIONS: Mapping[str, tuple[str, ...]] = {
    "preview": ("--stack", "--format", "--cwd"),
    "diff": ("--stack", "--format", "--cwd", "--against", "--all", "--exit-code"),
    "explain": ("--stack", "--format", "--cwd"),
    "select": ("--file", "--format"),
    "render": ("--file", "--stack", "--cwd"),
    "providers": ("--stack", "--format", "--cwd"),
    "rbac": ("--stack", "--service-account", "--manifests", "--against", "--cwd"),
    "status": ("--stack", "--format", "--cwd"),
    "wait": ("--stack", "--timeout", "--cwd"),
    "endpoint": ("--stack", "--port", "--cwd"),
    "chat": ("--stack", "--model", "--url", "--cwd"),
    "import": ("--stack", "--ids", "--cwd"),
    "comment": ("--stack", "--against", "--repository", "--cwd"),
    "schema": ("--deployments", "--project", "--cwd"),
    "console": ("--stack", "--cwd"),
    "": ("--help", "--version", "-h"),
}
VALUES = (
    "own",
    "cpu",
    "full",
    "x",
    "-",
    ".",
    "/dev/null",
    "/dev/full",
    "/proc/self/mem",
    "nowhere/x",
    "deployments.yaml",
    "0s",
    "json",
    "HEAD",
    "a=b",
    "1",
)


def arguments(random: Random) -> BadInput:
    command = random.choice(list(OPTIONS))

    def value() -> str:
        odd = random.choice((*VALUES, *VALUES, *map(str, ODD)))
        return odd.replace("\0", "")

    result = [command] if command else []
    if command == "console":
        result += ["--no-browser", "--port", random.choice(("-1", "99999", "a", "")), "--host", "256.256.256.256"]
    if command == "wait":
        result += ["--timeout", "0s"]
    for _ in range(random.choice((0, 1, 1, 2, 3))):
        option = random.choice(OPTIONS[command])
        result += (
            [option]
            if option in ("--all", "--exit-code", "--deployments", "--project", "--help")
            else [option, value()]
        )
    result += [value() for _ in range(random.choice((0, 0, 1, 2)))]
    return BadInput("arguments", [part.encode("utf-8", "replace").decode() for part in result])


VARIABLES = (
    *(
        "KUBECONFIG",
        "HTTPS_PROXY",
        "HTTP_PROXY",
        "NO_PROXY",
        "ALL_PROXY",
        "http_proxy",
        "COLUMNS",
        "LINES",
        "TERM",
        "NO_COLOR",
        "FORCE_COLOR",
    ),
    *(
        "AIRUNWAY_REQUEST_TIMEOUT",
        "HOME",
        "PATH",
        "TMPDIR",
        "GITHUB_ACTIONS",
        "GITHUB_TOKEN",
        "GITHUB_REPOSITORY",
        "GITHUB_API_URL",
    ),
    *(
        "OPENAI_API_KEY",
        "OPENAI_BASE_URL",
        "OPENAI_ORG_ID",
        "PULUMI_CONFIG",
        "PULUMI_STACK",
        "SSL_CERT_FILE",
        "LANG",
        "PYTHONIOENCODING",
        "USER",
    ),
)


def environment(random: Random) -> BadInput:
    chosen = random.sample(VARIABLES, random.choice((1, 1, 2, 4)))
    odd = [str(value).replace("\0", "").encode("utf-8", "replace").decode() for value in ODD]
    values = {name: random.choice((*odd, CLOSED, "1", "kubeconfig", "/dev/null")) for name in chosen}
    values |= {} if "GITHUB_API_URL" in values else {"GITHUB_API_URL": CLOSED}
    command = random.choice((_command(random), ["comment", "1", "--against", "saved.json"]))
    return BadInput("environment", command, {"saved.json": _saved()}, values)


def _socket(path: Path) -> None:
    here = os.getcwd()
    os.chdir(path.parent)  # a socket's path is short
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(here)


def _sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(5 << 30)


def _loop(path: Path) -> None:
    path.symlink_to(path.name)


SPECIAL: tuple[Callable[[Path], None], ...] = (
    *(os.mkfifo, Path.mkdir, _socket, _sparse, _loop),
    *(
        (lambda path, to=to: path.symlink_to(to))
        for to in ("/dev/zero", "/dev/full", "/dev/null", "/proc/self/mem", "/dev/tty", "nowhere", "/")
    ),
    lambda path: path.touch(0),
)
READ = {
    "stacks/Pulumi.own.yaml": ["preview"],
    "deployments.yaml": ["preview"],
    "manifest.yaml": ["preview"],
    "provider.yaml": ["preview"],
    "saved.json": ["diff", "--against", "saved.json"],
    "chart.yaml": ["rbac", "--manifests", "kuberay-operator=chart.yaml"],
    "kubeconfig": ["status"],
    "t": ["status"],
    "Pulumi.yaml": ["preview"],
    "m.yaml": ["select", "--file", "m.yaml"],
    "out": ["render", "--output", "out"],
    "ids.json": ["import", "--ids", "ids.json"],
}


def special_file(random: Random) -> BadInput:
    name, make = random.choice(list(READ)), random.choice(SPECIAL)
    command = READ[name] if READ[name][0] == "select" else _of_stack(READ[name])
    cluster = {"context": "y" if name == "t" else "x", "kubeconfig": "kubeconfig"}
    files = {"stacks/Pulumi.own.yaml": json.dumps(stack_of(SETTINGS | {"cluster": cluster})).encode()}

    def special(root: Path) -> None:
        path = root / name
        path.unlink(missing_ok=True)
        make(path)

    return BadInput(f"special file {name}", command, files, special=special)


FIELDS = {
    "kind": "deployment",
    "name": "new",
    "model.id": "org/m",
    "model.source": "huggingface",
    "engine.type": "vllm",
    "resources.gpu.count": "1",
    "resources.memory": "1Gi",
    "scaling.replicas": "1",
    "provider.name": "dynamo",
    "replacing": "cpu",
    "file": "deployments.yaml",
    "env": "A=b",
    "engine.args": "a: b",
    "nodeSelector": "a: b",
    "provider.overrides": "spec: {}",
    "change": '{"kind": "provider", "name": "kaito", "state": "off"}',
    "read": "x",
    "state": "off",
    "action": "x",
    "more": "env: []",
}


def form(random: Random) -> BadInput:
    fields_of_page = [field.name for group in groups() for field in group.fields]
    odd = {name: random.choice(ODD) for name in random.sample(fields_of_page, random.choice((0, 1, 3)))}
    keys = random.sample(list(FIELDS), random.randrange(1, len(FIELDS)))
    values = changed({key: FIELDS[key] for key in ("kind", "name", *keys)}, random)
    fields = (
        {str(key): str(value) for key, value in values.items()} if isinstance(values, dict) else {"kind": str(values)}
    )
    fields |= {name: str(value) for name, value in odd.items()}
    path = random.choice(("check", "check", "review", "review", "form", "save", "run"))
    if random.random() < 0.3:
        change = {"kind": "deployment", "entry": FULL, "replacing": "cpu", "file": "deployments.yaml"}
        fields["change"] = written(changed(change, random), random).decode("utf-8", "replace")
    return BadInput(f"form {path}", [], form=(f"/stacks/own/{path}", fields))


KINDS: tuple[Callable[[Random], BadInput], ...] = (
    *(stack_file,) * 6,
    *(named_file,) * 3,
    *(arguments,) * 3,
    *(kubeconfig,) * 2,
    *(saved_preview,) * 2,
    *(environment,) * 2,
    *(form,) * 3,
    *(special_file,) * 2,
    *(controller_file, document, project_file, chart, assessed_file, policy_cases),
)


def bad_input(seed: int) -> BadInput:
    """The bad input of a seed; what it does not say is as in ``valid_files``."""
    random = Random(seed)
    made = random.choice(KINDS)(random)
    made.files = valid_files() | made.files
    return made

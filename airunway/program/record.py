"""Run the program in this process and record every registration: no engine, no cluster, no state."""

import asyncio
import contextvars
import hashlib
import os
import runpy
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any, cast

import pulumi
from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime import rpc, settings
from pulumi.runtime.config import set_all_config
from pulumi.runtime.mocks import MockEngine, MockMonitor, Mocks, MockSettings
from pulumi.runtime.proto import resource_pb2
from pulumi.runtime.stack import run_in_stack

from airunway.assessment.assessment import Assessment
from airunway.planning.plan import Plan
from airunway.planning.pod_demand import deployments_words
from airunway.program.plan_collector import collect_plans
from airunway.program.problem_places import located_problems
from airunway.program.program_failure import program_failure
from airunway.program.stack_assessment import assess_stack
from airunway.program.stack_file import StackConfig
from airunway.program.type_token import is_provider, kind_of
from airunway.text.config_text import check_size
from airunway.text.placeholders import SECRET, UNKNOWN
from airunway.text.problems import InputError, Problem, join

_STACK = "pulumi:pulumi:Stack"


@dataclass(frozen=True)
class Resource:
    """A registered resource, with URNs as the engine builds them.

    ``inputs`` hold no secrets; ``secrets`` has a digest of each, by its field, to compare them.
    """

    urn: str
    type: str
    name: str
    parent: str
    dependencies: tuple[str, ...]
    inputs: dict[str, Any]
    provider: str = ""
    protect: bool = False
    retained: bool = False
    aliases: tuple[str, ...] = ()
    replacement_trigger: str = ""
    custom: bool = False
    version: str = ""
    timeouts: dict[str, str] = field(default_factory=dict)
    secret_outputs: tuple[str, ...] = ()
    secrets: dict[str, str] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """Kind of the Kubernetes object, or name of the component."""
        return kind_of(self.type)

    @property
    def is_provider(self) -> bool:
        """Whether it is a Pulumi provider."""
        return is_provider(self.type)


@dataclass(frozen=True)
class Preview:
    """A stack's plan and resources, each after its dependencies."""

    stack: str
    plan: Plan
    resources: tuple[Resource, ...]
    outputs: dict[str, dict[str, Any]]
    assessment: Assessment = field(default_factory=Assessment)

    @property
    def objects(self) -> list[dict[str, Any]]:
        """The Kubernetes objects, each after its dependencies, without Helm releases."""
        return [r.inputs for r in self.resources if r.custom and "kind" in r.inputs]

    @property
    def count(self) -> int:
        """Number of resources as Pulumi counts them, with components and providers, but for the stack itself."""
        return len(self.resources)

    @property
    def sentence(self) -> str:
        """How many deployments, GPUs and resources there are."""
        return f"{deployments_words(self.plan.deployments)}, {self.count} resource{'s' * (self.count != 1)}"


class Recorder(MockMonitor):
    """Pulumi's mock monitor, which records all requests."""

    def __init__(self, project: str, stack: str) -> None:
        super().__init__(cast(Mocks, None))  # unused: all methods that call it are overridden below
        self.project, self.stack = project, stack
        self.requests: list[tuple[str, Any]] = []
        self.outputs: list[Any] = []

    @property
    def registered(self) -> tuple[Resource, ...]:
        """The registered resources, each after its dependencies."""
        return _sort_by_dependencies(
            [_resource(urn, request) for urn, request in self.requests if request.type != _STACK]
        )

    def make_urn(self, parent: str, type_: str, name: str) -> str:
        """Build the engine's URN, with the types of all ancestors; the mock's has only the parent's."""
        ancestors = parent.split("::")[2] if parent else ""
        qualified = type_ if ancestors in ("", _STACK) else f"{ancestors}${type_}"
        return f"urn:pulumi:{self.stack}::{self.project}::{qualified}::{name}"

    def RegisterResource(self, request: Any) -> Any:
        """Record the request and return its inputs as outputs."""
        urn = self.make_urn(request.parent, request.type, request.name)
        self.requests.append((urn, request))
        return resource_pb2.RegisterResourceResponse(
            urn=urn, id=f"{request.name}-id" if request.custom else "", object=request.object
        )

    def Invoke(self, request: Any) -> Any:
        """Return no state for the stack, and refuse all other calls, which need a provider."""
        if request.tok == "pulumi:pulumi:readStackResourceOutputs":
            return resource_pb2.ResourceInvokeResponse()
        raise RuntimeError(f"the program calls {request.tok}, which needs an engine")

    def ReadResource(self, request: Any) -> Any:
        """Refuse, as reading needs a provider."""
        raise RuntimeError(f"the program reads {request.name}, which needs an engine")

    def RegisterResourceOutputs(self, request: Any) -> Any:
        """Record the request, which the mock drops."""
        self.outputs.append(request)
        return super().RegisterResourceOutputs(request)


class _NoHooks:
    """Accepts hooks in place of the callback server."""

    def register_error_hook(self, hook: pulumi.ErrorHook) -> None:
        """Ignore the hook, as nothing fails here."""

    def register_resource_hook(self, hook: pulumi.ResourceHook) -> None:
        """Ignore the hook, as nothing is updated here."""


def record(root: Path, config: StackConfig) -> Preview:
    """Run the program at ``root`` with ``config``. Raises ``InputError`` for an invalid or too large configuration.

    Secrets are counted as empty, as their length is unknown.
    """
    check_size(config.without_secrets)
    with collect_plans() as plans, located_problems(root, config.stack):
        recorder = run_program(root, config)
    if len(plans) != 1:
        message = (
            "serves no stack; it is not an airunway program"
            if not plans
            else f"serves {len(plans)} stacks; a program must serve one"
        )
        raise InputError([Problem(str(root / "__main__.py"), message)])
    outputs = {request.urn: _plain_struct(request.outputs) for request in recorder.outputs}
    assessment = assess_stack(root, config.stack, plans[0])
    return Preview(config.stack, plans[0], recorder.registered, outputs, assessment)


def run_program(root: Path, config: StackConfig) -> Recorder:
    """Run the program at ``root`` and return its recorder. Raises like ``record``."""
    if not (root / "__main__.py").is_file():
        raise InputError([Problem(str(root / "__main__.py"), "does not exist; this is not an airunway project folder")])
    with _program_environment(root):
        try:
            return run_function(lambda: runpy.run_path(str(root / "__main__.py"), run_name="__main__"), config)
        except InputError:
            raise
        except Exception as error:
            failure = program_failure(error, root)
            if failure is None:
                raise
            raise failure from error


def run_function(program: Callable[[], Any], config: StackConfig) -> Recorder:
    """Run ``program`` as a Pulumi program. Raises its errors, and ``InputError`` if that is the cause."""
    return contextvars.copy_context().run(_run_function, program, config)


def _run_function(program: Callable[[], Any], config: StackConfig) -> Recorder:
    recorder = Recorder(config.project, config.stack)
    set_all_config(config.values, list(config.secrets))
    settings.reset_options()
    try:
        with _no_other_configuration():
            asyncio.run(_run(recorder, config, program))
    except pulumi.RunError as error:
        raise error.__cause__ if isinstance(error.__cause__, InputError) else error from None
    return recorder


@contextmanager
def _no_other_configuration() -> Iterator[None]:
    """Hide the configuration of a Pulumi program that runs this one, which the SDK reads too (pulumi 3.259)."""
    hidden = {
        name: os.environ.pop(name) for name in ("PULUMI_CONFIG", "PULUMI_CONFIG_SECRET_KEYS") if name in os.environ
    }
    try:
        yield
    finally:
        os.environ.update(hidden)


async def _run(recorder: Recorder, config: StackConfig, program: Callable[[], Any]) -> None:
    # As pulumi.runtime.set_mocks, but without the Stack resource, which run_in_stack creates.
    features = set(recorder.GetDeploymentInfo(empty_pb2.Empty()).supportedFeatures)
    mock_settings = MockSettings(
        callbacks=_NoHooks(),
        monitor=recorder,
        monitor_features=features,
        engine=MockEngine(None),
        project=config.project,
        stack=config.stack,
        dry_run=True,
    )
    settings.configure(mock_settings)
    await run_in_stack(program)


@contextmanager
def _program_environment(root: Path) -> Iterator[None]:
    """Use ``root`` as working directory and first module path. Not thread-safe."""
    working_directory, module_path = Path.cwd(), list(sys.path)
    os.chdir(root)
    sys.path.insert(0, str(root))
    try:
        yield
    finally:
        os.chdir(working_directory)
        sys.path[:] = module_path


def _resource(urn: str, request: Any) -> Resource:
    timeouts = request.customTimeouts
    return Resource(
        urn=urn,
        type=request.type,
        name=request.name,
        parent="" if f"::{_STACK}::" in request.parent else request.parent,
        dependencies=tuple(sorted(set(request.dependencies))),
        inputs=_plain_struct(request.object),
        provider=request.provider or dict(request.providers).get("kubernetes", ""),
        protect=bool(request.protect),
        retained=bool(request.retainOnDelete),
        aliases=tuple(a.urn or a.spec.type or a.spec.name for a in request.aliases),
        replacement_trigger=request.replacement_trigger.string_value,
        custom=request.custom,
        version=request.version,
        timeouts={k: v for k in ("create", "update", "delete") if (v := getattr(timeouts, k))},
        secret_outputs=tuple(request.additionalSecretOutputs),
        secrets=dict(_secrets(request.object)),
    )


def _sort_by_dependencies(resources: list[Resource]) -> tuple[Resource, ...]:
    """Sort resources after their parents and dependencies, then by URN, so that every run gives the same order."""
    by_urn = {r.urn: r for r in resources}
    sorter = TopologicalSorter({r.urn: [u for u in (r.parent, *r.dependencies) if u in by_urn] for r in resources})
    sorter.prepare()
    ordered: list[Resource] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        ordered += [by_urn[urn] for urn in ready]
        sorter.done(*ready)
    return tuple(ordered)


def _secrets(struct: struct_pb2.Struct, field: str = "") -> Iterator[tuple[str, str]]:
    """Yield the field and a digest of each secret in ``struct``."""
    for key in sorted(struct.fields):
        yield from _secrets_in(struct.fields[key], join(field, key))


def _secrets_in(value: struct_pb2.Value, field: str) -> Iterator[tuple[str, str]]:
    match value.WhichOneof("kind"):
        case "struct_value":
            inner = value.struct_value.fields
            if rpc._special_sig_key in inner and inner[rpc._special_sig_key].string_value == rpc._special_secret_sig:
                yield field, hashlib.sha256(inner["value"].SerializeToString(deterministic=True)).hexdigest()[:12]
            else:
                yield from _secrets(value.struct_value, field)
        case "list_value":
            for index, element in enumerate(value.list_value.values):
                yield from _secrets_in(element, f"{field}[{index}]")


def _plain_struct(struct: struct_pb2.Struct) -> dict[str, Any]:
    return {key: _plain(struct.fields[key]) for key in sorted(struct.fields)}


def _plain(value: struct_pb2.Value) -> Any:
    match value.WhichOneof("kind"):
        case "struct_value":
            fields = value.struct_value.fields
            signature = fields[rpc._special_sig_key].string_value if rpc._special_sig_key in fields else ""
            if signature == rpc._special_secret_sig:
                return SECRET
            if signature == rpc._special_output_value_sig:
                return (
                    SECRET if fields["secret"].bool_value else _plain(fields["value"]) if "value" in fields else UNKNOWN
                )
            return _plain_struct(value.struct_value)
        case "list_value":
            return [_plain(element) for element in value.list_value.values]
        case "number_value":
            number = value.number_value
            return int(number) if number.is_integer() else number
        case "string_value":
            return UNKNOWN if value.string_value == rpc.UNKNOWN else value.string_value
        case "bool_value":
            return value.bool_value
        case _:
            return None

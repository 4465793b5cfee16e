"""Graph: the components as a plugin, in a process of its own and asked over gRPC as the engine asks it.

The monitor that it registers resources with is the one of previews, served over gRPC;
`tests/cluster/test_components.py` has the real engine.
"""

import asyncio
import json
import shutil
import sys
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

import grpc
import pytest
from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime.proto import (
    engine_pb2,
    engine_pb2_grpc,
    errors_pb2,
    provider_pb2,
    provider_pb2_grpc,
    resource_pb2,
    resource_pb2_grpc,
    status_pb2,
)
from pulumi.runtime.rpc import UNKNOWN, _special_output_value_sig, _special_secret_sig, _special_sig_key

from airunway.program.record import Recorder, Resource
from components.plugin import schema
from tests.graph.projects import ROOT

Result = TypeVar("Result")
PROVIDER = "urn:pulumi:dev::demo::pulumi:providers:kubernetes::mine::id"
MADE = "urn:pulumi:dev::demo::kubernetes:core/v1:ConfigMap::made"


class Monitor(resource_pb2_grpc.ResourceMonitorServicer):
    """The recording monitor behind gRPC."""

    def __init__(self) -> None:
        self.recorder = Recorder("demo", "dev")

    async def GetDeploymentInfo(self, request: Any, context: Any) -> Any:
        return cast(Any, self.recorder).GetDeploymentInfo(request)

    async def RegisterResource(self, request: Any, context: Any) -> Any:
        return self.recorder.RegisterResource(request)

    async def RegisterResourceOutputs(self, request: Any, context: Any) -> Any:
        self.recorder.outputs.append(request)
        return empty_pb2.Empty()

    async def RegisterErrorHook(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    async def RegisterResourceHook(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    async def Invoke(self, request: Any, context: Any) -> Any:
        if request.tok != "pulumi:pulumi:getResource":
            return self.recorder.Invoke(request)
        answer = resource_pb2.ResourceInvokeResponse()
        getattr(answer, "return").update({"urn": request.args["urn"], "id": "id", "state": {}})
        return answer


class Engine(engine_pb2_grpc.EngineServicer):
    """What the plugin says to the person."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    async def Log(self, request: Any, context: Any) -> Any:
        self.messages.append(request.message)
        return empty_pb2.Empty()

    async def GetRootResource(self, request: Any, context: Any) -> Any:
        return engine_pb2.GetRootResourceResponse(urn="urn:pulumi:dev::demo::pulumi:pulumi:Stack::demo-dev")


@dataclass
class Constructed:
    """What a component registered, and what it put out."""

    resources: tuple[Resource, ...]
    state: dict[str, Any]
    messages: list[str]


class Plugin:
    """The plugin's process, which is asked on a loop of its own: as an engine does, it makes every component with the
    same one.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, stub: Any, engine: Engine) -> None:
        self._loop, self._stub, self._engine = loop, stub, engine

    def schema(self) -> Any:
        return json.loads(on(self._loop, self._schema()))

    async def _schema(self) -> Any:
        return (await self._stub.GetSchema(provider_pb2.GetSchemaRequest())).schema

    def construct(self, type_: str, inputs: dict[str, Any], **more: Any) -> Constructed:
        return on(self._loop, self._construct(type_, inputs, more))

    async def _construct(self, type_: str, inputs: dict[str, Any], more: dict[str, Any]) -> Constructed:
        monitor = Monitor()
        self._engine.messages.clear()
        server = grpc.aio.server()
        resource_pb2_grpc.add_ResourceMonitorServicer_to_server(monitor, server)
        address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
        await server.start()
        body = struct_pb2.Struct()
        body.update(inputs)
        request = provider_pb2.ConstructRequest(
            project="demo",
            stack="dev",
            dryRun=True,
            monitorEndpoint=address,
            type=type_,
            name="chat",
            inputs=body,
            providers={"kubernetes": PROVIDER},
            **more,
        )
        try:
            response = await self._stub.Construct(request)
        finally:
            await server.stop(None)
        state = {key: response.state.fields[key] for key in response.state.fields}
        values = {key: value.string_value for key, value in state.items() if value.WhichOneof("kind") == "string_value"}
        return Constructed(monitor.recorder.registered, values, list(self._engine.messages))


def on(loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, Result]) -> Result:
    """What ``coroutine`` gives on a loop that another thread runs."""
    return asyncio.run_coroutine_threadsafe(coroutine, loop).result(60)


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    created = asyncio.new_event_loop()
    thread = threading.Thread(target=created.run_forever, daemon=True)
    thread.start()
    yield created
    created.call_soon_threadsafe(created.stop)
    thread.join()
    created.close()


@asynccontextmanager
async def engine_and_plugin(components: Path) -> AsyncIterator[tuple[Any, Engine]]:
    """The plugin in ``components``, to be asked, and the engine that it talks to."""
    engine, server = Engine(), grpc.aio.server()
    engine_pb2_grpc.add_EngineServicer_to_server(engine, server)
    address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(components), address, cwd=components, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{int(await process.stdout.readline())}") as channel:
            yield provider_pb2_grpc.ResourceProviderStub(channel), engine
    finally:
        process.kill()
        await process.wait()
        await server.stop(None)


@pytest.fixture(scope="module")
def plugin(tmp_path_factory: pytest.TempPathFactory, loop: asyncio.AbstractEventLoop) -> Iterator[Plugin]:
    """The plugin in a folder that holds what a checkout of the repository does."""
    folder = tmp_path_factory.mktemp("plugin")
    for package in ("airunway", "components", "providers"):
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__", "venv"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    running = engine_and_plugin(folder / "components")
    stub, engine = on(loop, running.__aenter__())
    yield Plugin(loop, stub, engine)
    on(loop, running.__aexit__(None, None, None))


def output(
    value: Any = None, *, known: bool = True, secret: bool = False, dependencies: list[str] | None = None
) -> dict[str, Any]:
    """An output as the engine sends one."""
    body = {"value": value} if known else {}
    return {_special_sig_key: _special_output_value_sig, **body, "secret": secret, "dependencies": dependencies or []}


CHAT = "airunway:index:ModelDeployment"
GPU = {"resources": {"gpu": {"count": 1.0}}}


def graph(constructed: Constructed) -> Resource:
    (results,) = [r for r in constructed.resources if r.type.endswith(":DynamoGraphDeployment")]
    return results


def test_the_schema_is_the_one_that_is_kept(plugin: Plugin) -> None:
    remaining = (ROOT / "components" / "schema.json").read_text()
    assert remaining == schema(), "`make schema` rewrites it"
    assert plugin.schema() == json.loads(remaining)


def test_the_schema_describes_every_field_and_refuses_no_stack_s_field() -> None:
    described = json.loads(schema())
    for name, type_ in described["types"].items():
        for field, definition in type_["properties"].items():
            assert definition.get("description"), f"{name}.{field}"
            assert "\n    " not in definition["description"]
    assert set(described["resources"]) == {CHAT, "airunway:index:ModelServing"}
    deciding = described["types"]["airunway:index:ModelRef"]["properties"]["id"]
    passed_through = described["types"]["airunway:index:EnvVar"]["properties"]["value"]
    assert (deciding.get("plain"), passed_through.get("plain")) == (True, None)


def test_plain_inputs_are_planned_with_whole_numbers(plugin: Plugin) -> None:
    constructed = plugin.construct(
        CHAT, {"model": {"id": "org/model", "servedName": "m"}, "scaling": {"replicas": 2.0}, **GPU}
    )
    worker = graph(constructed).inputs["spec"]["components"][1]
    container = worker["podTemplate"]["spec"]["containers"][0]
    assert (worker["replicas"], container["resources"]["limits"]["nvidia.com/gpu"]) == (2, "1")
    assert container["args"] == ["--model", "org/model", "--served-model-name", "m"]
    assert constructed.state["provider"] == "dynamo"
    assert constructed.state["endpoint"] == "http://chat-frontend.default.svc:8000/v1"
    assert graph(constructed).provider == PROVIDER


def test_a_secret_stays_one_and_reaches_only_its_place(plugin: Plugin) -> None:
    constructed = plugin.construct(
        CHAT, {"model": {"id": "a/b"}, "env": [{"name": "A", "value": output("hunter2", secret=True)}], **GPU}
    )
    assert list(graph(constructed).secrets) == [
        "spec.components[0].podTemplate.spec.containers[0].env[0].value",
        "spec.components[1].podTemplate.spec.containers[0].env[0].value",
    ]
    assert "hunter2" not in str(constructed)


def test_a_secret_as_older_engines_send_it_stays_one_too(plugin: Plugin) -> None:
    value = {_special_sig_key: _special_secret_sig, "value": "registry.example/hunter2:1"}
    constructed = plugin.construct(CHAT, {"model": {"id": "a/b"}, "image": value, **GPU})
    assert graph(constructed).secrets
    assert "hunter2" not in str(constructed)


def test_what_is_unknown_until_it_is_made_stands_where_it_decides_nothing(plugin: Plugin) -> None:
    label = {"metadata": {"labels": {"team": output(known=False, dependencies=[MADE])}}}
    constructed = plugin.construct(CHAT, {"model": {"id": "a/b"}, "podTemplate": label, **GPU})
    labels = graph(constructed).inputs["spec"]["components"][1]["podTemplate"]["metadata"]["labels"]
    assert labels == {"team": "[unknown]"}
    assert MADE in graph(constructed).dependencies


def test_a_known_output_decides_and_what_it_depends_on_is_waited_for(plugin: Plugin) -> None:
    constructed = plugin.construct(CHAT, {"model": {"id": output("org/made", dependencies=[MADE])}, **GPU})
    assert "org/made" in str(graph(constructed).inputs)
    assert MADE in graph(constructed).dependencies


@pytest.mark.parametrize(
    ("inputs", "wrong"),
    [
        (
            {"model": {"id": output(known=False)}, **GPU},
            {"model.id": "is a secret, or an Output that is not known while"},
        ),
        ({"model": {"id": UNKNOWN}, **GPU}, {"model.id": "is a secret, or an Output that is not known while"}),
        (
            {"model": {"id": output("a/b", secret=True)}, **GPU},
            {"model.id": "is a secret, or an Output that is not known while"},
        ),
        (
            {"model": {"id": "a/b"}, "engine": {"type": "vlm"}, "scaling": {"replicas": 99.0}},
            {"engine.type": "'vlm' given, did you mean 'vllm'?", "scaling.replicas": "99 given, must be at most 32"},
        ),
        ({"model": {"id": "a/b"}, "scaling": {"replicas": 1.5}}, {"scaling.replicas": "1.5 given"}),
    ],
)
def test_what_can_t_be_planned_is_told_by_its_property(
    inputs: dict[str, Any], wrong: dict[str, str], plugin: Plugin
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        plugin.construct(CHAT, inputs)
    reported = properties(refused.value)
    assert set(reported) == set(wrong)
    assert all(reported[path].startswith(message) for path, message in wrong.items()), reported
    assert "Traceback" not in (refused.value.details() or "")


def properties(error: grpc.aio.AioRpcError) -> dict[str, str]:
    """The wrong properties in an error as the engine reads them."""
    trailers: dict[str, Any] = dict(cast(Any, error.trailing_metadata() or ()))
    status = status_pb2.Status.FromString(trailers["grpc-status-details-bin"])
    details = errors_pb2.InputPropertiesError()
    status.details[0].Unpack(details)
    return {e.property_path: e.reason for e in details.errors}


def test_a_missing_input_is_told(plugin: Plugin) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        plugin.construct(CHAT, GPU)
    assert properties(refused.value) == {"model": "Missing required input 'model' on 'ModelDeployment'"}


def test_a_whole_stack_is_constructed(plugin: Plugin) -> None:
    inputs = {
        "namespace": "ml",
        "huggingFaceToken": output("hunter2", secret=True),
        "providers": {"dynamo": {"installation": "existing"}},
        "deployments": [{"name": "a", "model": {"id": "a/b"}, **GPU}, {"name": "b", "model": {"id": "a/b"}}],
    }
    constructed = plugin.construct("airunway:index:ModelServing", inputs)
    kinds = [r.inputs["kind"] for r in constructed.resources if r.custom and "kind" in r.inputs]
    assert {"DynamoGraphDeployment", "Workspace", "Namespace", "Secret"} <= set(kinds)
    assert [r.name for r in constructed.resources if r.type.endswith(":Release")] == ["kaito-workspace"]
    assert "hunter2" not in str(constructed)


def test_a_type_that_is_none_of_ours_is_refused(plugin: Plugin) -> None:
    with pytest.raises(grpc.aio.AioRpcError):
        plugin.construct("airunway:index:Nothing", {})


def test_no_module_hides_one_of_the_standard_library_from_the_plugin() -> None:
    # The plugin's folder is first on its module path.
    assert {path.stem for path in (ROOT / "components").glob("*.py")} & sys.stdlib_module_names == set()

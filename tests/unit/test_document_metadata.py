"""Unit (pure) and command line: labels and annotations of a ModelDeployment reach the object that serves it, and what
does not is told, as all warnings are.
"""

from pathlib import Path
from typing import Any

import pytest

from airunway.planning.deployment import PlanContext, PlannedDeployment, plan_document, plan_entry
from airunway.planning.documents import Document, parse_documents
from airunway.planning.files import Files
from airunway.planning.plan import parse_settings, plan_stack
from airunway.planning.settings import StackSettings
from airunway.text.problems import InputError
from airunway.text.yaml_writing import to_documents
from providers import PROVIDERS
from tests.command import run
from tests.unit.samples import GPU, builtin

QUEUE = {"kueue.x-k8s.io/queue-name": "research"}


def body(metadata: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "airunway.ai/v1alpha1",
        "kind": "ModelDeployment",
        "metadata": {"name": "chat"} | metadata,
        "spec": {"model": {"id": "org/m"}} | GPU | spec,
    }


def planned(metadata: dict[str, Any], settings: Any = None, **spec: Any) -> PlannedDeployment:
    context = PlanContext(PROVIDERS, builtin(), StackSettings.model_validate(settings or {}))
    return plan_document(Document("m.yaml", "ModelDeployment", body(metadata, **spec)), context)


def problems(metadata: dict[str, Any]) -> list[str]:
    with pytest.raises(InputError) as raised:
        planned(metadata)
    return [str(problem) for problem in raised.value.problems]


PROVIDER_NAMES = [provider.NAME for provider in PROVIDERS]
CONTROLLER = {"delivery": "modeldeployment"}


@pytest.mark.parametrize("provider", PROVIDER_NAMES)
@pytest.mark.parametrize("settings", [{}, CONTROLLER], ids=["direct", "controller"])
def test_labels_and_annotations_reach_the_upstream_object(provider: str, settings: Any) -> None:
    if settings and provider not in PROVIDERS.shims:
        pytest.skip("the controller has no such provider")
    chosen = {"provider": {"name": provider}}
    deployment = planned({"labels": QUEUE, "annotations": {"kaito.sh/runtime": "x"}}, settings, **chosen)
    before = planned({}, settings, **chosen)
    metadata = deployment.rendered.resource["metadata"]
    assert metadata["labels"] == before.rendered.resource["metadata"]["labels"] | QUEUE
    assert metadata["annotations"] == {"kaito.sh/runtime": "x"}
    assert "annotations" not in before.rendered.resource["metadata"]
    assert deployment.rendered.supporting == before.rendered.supporting
    assert deployment.warnings == before.warnings


def test_an_entry_has_labels_and_annotations_too() -> None:
    context = PlanContext(PROVIDERS, builtin(), StackSettings())
    entry = {"name": "chat", "model": {"id": "org/m"}, "labels": QUEUE, "annotations": {"a.example/b": "c"}} | GPU
    metadata = plan_entry(entry, context).rendered.resource["metadata"]
    assert QUEUE.items() <= metadata["labels"].items()
    assert metadata["annotations"] == {"a.example/b": "c"}


@pytest.mark.parametrize("key", ["airunway.ai/deployment", "kubeairunway.ai/x", "pulumi.com/skipAwait"])
@pytest.mark.parametrize("section", ["labels", "annotations"])
def test_an_entry_can_t_set_what_tools_write(section: str, key: str) -> None:
    context = PlanContext(PROVIDERS, builtin(), StackSettings())
    with pytest.raises(InputError) as raised:
        plan_entry({"name": "chat", "model": {"id": "org/m"}, section: {key: "x"}}, context)
    assert [str(p)[: len(section) + len(key) + 9] for p in raised.value.problems] == [f"{section}: {key} given,"]


def test_what_tools_wrote_into_a_document_is_passed_over() -> None:
    ours = {"airunway.ai/generated-by": "x", "airunway.ai/recipe.id": "y"}
    written = {"kubectl.kubernetes.io/last-applied-configuration": "{}", **ours}
    deployment = planned({"annotations": written, "labels": {"airunway.ai/engine-type": "other"}})
    metadata = deployment.rendered.resource["metadata"]
    assert ("annotations" in metadata, metadata["labels"]["airunway.ai/engine-type"]) == (False, "vllm")
    assert deployment.warnings == []


@pytest.mark.parametrize("nothing", [None, {}])
def test_empty_metadata_says_nothing(nothing: Any) -> None:
    assert planned({"labels": nothing, "annotations": nothing}).rendered == planned({}).rendered


@pytest.mark.parametrize("group", ["airunway.ai", "kubeairunway.ai"])
def test_a_pause_that_only_a_controller_heeds_is_told(group: str) -> None:
    (warning,) = planned({"annotations": {f"{group}/reconcile-paused": "true"}}).warnings
    assert warning == (
        f"metadata.annotations.{group}/reconcile-paused: a controller leaves a paused deployment alone, but here it is"
        " deployed"
    )


def test_an_annotation_that_would_steer_pulumi_is_left_out_and_told() -> None:
    deployment = planned({"annotations": {"pulumi.com/skipAwait": "true"}})
    assert "annotations" not in deployment.rendered.resource["metadata"]
    assert deployment.warnings[0].startswith("metadata.annotations.pulumi.com/skipAwait: is left out")


@pytest.mark.parametrize(
    ("metadata", "output"),
    [
        ({"labels": ["team"]}, "m.yaml: metadata.labels: ['team'] given, must be a map"),
        ({"annotations": 5}, "m.yaml: metadata.annotations: 5 given, must be a map"),
        ({"labels": {"tier": 2}}, "m.yaml: metadata.labels.tier: 2 given, must be a string; quote it"),
    ],
)
def test_metadata_of_another_form_is_refused_where_it_stands(metadata: Any, output: str) -> None:
    (problem,) = problems(metadata)
    assert problem.startswith(output)


def test_a_stack_tells_the_warnings_of_its_documents() -> None:
    text = to_documents([body({"annotations": {"airunway.ai/reconcile-paused": "true"}})])
    settings = parse_settings({"cluster": {"context": "x"}, "manifests": ["m.yaml"]})
    (warning,) = plan_stack(settings, Files.from_texts({"m.yaml": text}), PROVIDERS).warnings
    assert warning.startswith("chat: metadata.annotations.airunway.ai/reconcile-paused: ")


@pytest.mark.parametrize("arguments", [["render"], ["select"], ["select", "--format", "json"]])
def test_commands_for_documents_print_warnings_on_standard_error(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "m.yaml"
    one = body({"annotations": {"airunway.ai/reconcile-paused": "true"}}, engine={"trustRemoteCode": True})
    two = body({"name": "quiet"})
    file.write_text(to_documents([one, two]))
    assert len(parse_documents(file.read_text(), "m.yaml")) == 2
    assert run(monkeypatch, *arguments, "-f", str(file), columns=40) == 0
    captured = capsys.readouterr()
    assert "warning" not in captured.out
    assert captured.err.splitlines() == [
        (
            "warning: chat: metadata.annotations.airunway.ai/reconcile-paused: a controller leaves a paused deployment"
            " alone, but here it is deployed"
        ),
        "warning: chat: engine.trustRemoteCode: the model's own code will run in the cluster",
    ]

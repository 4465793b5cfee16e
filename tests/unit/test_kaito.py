"""Unit (pure): what KAITO's webhook and operator (0.12.0) make of a Workspace, foreseen when it is rendered."""

import inspect
from typing import Any

import pytest
from pulumi_kubernetes.core.v1.outputs import Container, PodSpec

from airunway.planning.await_annotations import with_await_annotations
from airunway.planning.deployment import PlanContext, PlannedDeployment, plan_entry
from airunway.planning.settings import StackSettings
from airunway.report.compare import compare
from airunway.report.rbac import rbac_objects
from airunway.report.replacement import forces_replacement
from airunway.text.problems import InputError
from providers import PROVIDERS
from providers.kaito.presets import Token, presets
from providers.kaito.render import template_fields
from tests.unit.samples import builtin, plan


def planned(model_id: str, *, stack_token: bool = False, **fields: Any) -> PlannedDeployment:
    """A preset of KAITO's on one GPU, as the entry of a stack that may have a Hugging Face token."""
    entry = {
        "name": "demo",
        "model": {"id": model_id},
        "provider": {"name": "kaito"},
        "resources": {"gpu": {"count": 1}},
    }
    return plan_entry(entry | fields, PlanContext(PROVIDERS, builtin(), StackSettings(), has_token=stack_token))


def options(deployment: PlannedDeployment) -> Any:
    return deployment.rendered.resource["inference"]["preset"].get("presetOptions")


def refused(*args: Any, **fields: Any) -> str:
    with pytest.raises(InputError) as error:
        planned(*args, **fields)
    return str(error.value)


@pytest.mark.parametrize(
    "model",
    [
        "mistralai/Mistral-7B-Instruct-v0.3",
        "MISTRALAI/mistral-7b-v0.3",
        "microsoft/phi-4",
        "phi-4",
        "Phi-3.5-mini-instruct",
        "gpt-oss-20b",
        "Qwen/Qwen2.5-Coder-32B-Instruct",
        "tiiuae/falcon-40b",
    ],
)
def test_a_preset_that_wants_no_token_gets_none_of_the_stack(model: str) -> None:
    assert options(planned(model, stack_token=True)) is None
    assert "secrets.huggingFaceToken: KAITO's preset of" in refused(model, secrets={"huggingFaceToken": "mine"})


@pytest.mark.parametrize(
    "model", ["meta-llama/Llama-3.3-70B-Instruct", "llama-3.3-70b-instruct", "LLAMA-3.1-8b-instruct"]
)
def test_a_gated_preset_needs_a_token(model: str) -> None:
    assert options(planned(model, stack_token=True)) == {"modelAccessSecret": "huggingface-token"}
    assert options(planned(model, secrets={"huggingFaceToken": "mine"})) == {"modelAccessSecret": "mine"}
    assert "secrets.huggingFaceToken: meta-llama/Llama-3." in refused(model)


@pytest.mark.parametrize("model", ["gpt-oss-120b", "google/gemma-3-4b-it", "Qwen/Qwen3-32B", "org/private"])
def test_another_preset_takes_a_token_where_there_is_one(model: str) -> None:
    assert options(planned(model)) is None
    assert options(planned(model, stack_token=True)) == {"modelAccessSecret": "huggingface-token"}
    assert options(planned(model, secrets={"huggingFaceToken": "mine"})) == {"modelAccessSecret": "mine"}


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("phi-4-mini", "model.id: KAITO has no preset 'phi-4-mini'; did you mean 'phi-4-mini-instruct'?"),
        ("falcon-7b-instruct", "model.id: KAITO has no preset 'falcon-7b-instruct'"),
        ("/models/qwen3", "model.id: '/models/qwen3' given; a preset must be a Hugging Face id"),
        ("s3://bucket/qwen3", "model.id: "),
    ],
)
def test_an_unknown_preset_is_refused(model: str, expected: str) -> None:
    assert expected in refused(model)


@pytest.mark.parametrize(
    ("model", "length", "most"),
    [("phi-4", 16384, 16384), ("microsoft/Phi-3-mini-4k-instruct", 4096, 4096), ("Qwen/Qwen3-8B-AWQ", 40960, 40960)],
)
def test_a_context_longer_than_the_model_s_is_refused(model: str, length: int, most: int) -> None:
    planned(model, engine={"contextLength": length})
    long = refused(model, engine={"contextLength": length + 1})
    assert f"engine.contextLength: {length + 1} given; " in long
    assert f"has a context of at most {most} tokens" in long
    for name in ("max-model-len", "max_model_len"):
        assert "engine.args.max-model-len: " in refused(model, engine={"args": {name: str(most * 2)}})


def test_a_context_must_be_a_whole_number_and_is_unknown_for_other_ids() -> None:
    assert "KAITO takes a whole number of tokens only" in refused("phi-4", engine={"args": {"max-model-len": "16k"}})
    planned("org/unknown", engine={"contextLength": 10_000_000})


@pytest.mark.parametrize(
    "fields", [{"model": {"source": "aikit", "id": "phi4:14b"}}, {"engine": {"type": "llamacpp"}}, {}]
)
@pytest.mark.parametrize("replicas", [0, 2, 5])
def test_more_than_one_replica_is_refused_with_the_way_out(fields: Any, replicas: int) -> None:
    text = refused("org/model", **fields, scaling={"replicas": replicas})
    assert "scaling.replicas: provider kaito can't honour this" in text
    assert "sends every request to the first pod; for more make two deployments" in text
    assert planned("org/model", **fields, scaling={"replicas": 1}).rendered.resource["resource"]["count"] == 1


def test_presets_are_known_by_id_and_by_kaito_s_own_name() -> None:
    assert len({p.id for p in presets().values()}) == 65
    assert len([p for p in presets().values() if p.name]) == 2 * 25
    assert {p.id for p in presets().values() if p.token is Token.REQUIRED} == {
        "meta-llama/Llama-3.1-8B-Instruct",
        "meta-llama/Llama-3.3-70B-Instruct",
    }


def changed(old: dict[str, Any], new: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
    """What becomes of the Workspace between two entries, and which fields force it."""

    def document(fields: dict[str, Any]) -> dict[str, Any]:
        resource = plan(fields).rendered.resource
        inputs = {key: value for key, value in resource.items() if key not in ("apiVersion", "kind")}
        result = {"urn": "u", "type": "kubernetes:kaito.sh/v1beta1:Workspace", "name": "demo", "inputs": inputs}
        return {"stack": "s", "deployments": [], "resources": [result]}

    (change,) = compare(document(old), document(new)).resources
    return change.operation, change.forced_by


CONTAINER = "inference.template.spec.containers[0]"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"engine": {"contextLength": 4096}}, f"{CONTAINER}.args[--context-size]"),
        ({"engine": {"image": "registry.example/runner:2"}}, f"{CONTAINER}.image"),
        ({"resources": {"memory": "8Gi"}}, f"{CONTAINER}.resources.limits"),
        ({"env": [{"name": "A", "value": "b"}]}, f"{CONTAINER}.env"),
        ({"podTemplate": {"metadata": {"labels": {"team": "a"}}}}, "inference.template.metadata.labels.team"),
        ({"tolerations": [{"key": "a", "operator": "Exists"}]}, "inference.template.spec.tolerations"),
        ({"nodeSelector": {"pool": "a"}}, "resource.labelSelector.matchLabels.pool"),
    ],
)
def test_a_change_that_reaches_no_pod_in_place_replaces_the_workspace(change: dict[str, Any], field: str) -> None:
    for old, new in (({}, change), (change, {})):
        operation, forced = changed(old, new)
        assert operation == "replace"
        assert field in forced


def test_another_container_replaces_the_workspace() -> None:
    containers = [{"name": "model", "image": "a"}, {"name": "proxy", "image": "b"}]
    fields = {"provider": {"overrides": {"inference": {"template": {"spec": {"containers": containers}}}}}}
    assert changed({}, fields)[0] == "replace"


def test_what_the_operator_writes_back_replaces_nothing() -> None:
    """A state of before ``resources: {}`` was rendered has none, and the cluster has it."""
    rendered = plan({}).rendered
    (container,) = rendered.resource["inference"]["template"]["spec"]["containers"]
    assert container["resources"] == {}
    assert f"{CONTAINER}.resources".replace("[0]", "[*]") not in rendered.replace_on_changes
    assert not forces_replacement(f"{CONTAINER}.resources", None, {}, rendered.replace_on_changes)
    sized = plan({"resources": {"memory": "8Gi"}}).rendered.replace_on_changes
    assert forces_replacement(
        f"{CONTAINER}.resources", None, {"limits": {"memory": "8Gi"}}, rendered.replace_on_changes
    )
    assert f"{CONTAINER}.resources".replace("[0]", "[*]") in sized


def test_every_field_of_a_template_is_known() -> None:
    fields = set(template_fields())
    for kind, path in ((PodSpec, "inference.template.spec."), (Container, "inference.template.spec.containers[*].")):
        known = {f"{path}{property_name(name)}" for name, _ in inspect.getmembers(kind, is_property)}
        assert len(known) > 20
        missing = {name for name in known if name not in fields and not any(f.startswith(f"{name}.") for f in fields)}
        assert missing <= {"inference.template.spec.containers"}


def is_property(member: object) -> bool:
    return isinstance(member, property)


def property_name(name: str) -> str:
    head, *rest = name.split("_")
    joined = head + "".join(part.capitalize() for part in rest)
    return {"hostIpc": "hostIPC", "hostPid": "hostPID", "setHostnameAsFqdn": "setHostnameAsFQDN"}.get(joined, joined)


@pytest.mark.parametrize(("skip", "granted"), [(False, [["get"]]), (True, [])])
def test_what_tells_whether_a_change_serves_may_be_read_by_its_name(skip: bool, granted: list[list[str]]) -> None:
    resource = with_await_annotations(planned("phi-4", skipAwait=skip))
    roles = rbac_objects([resource], "test", ("ci", "deployer"))
    rules = [rule for role in roles for rule in role.get("rules", [])]
    named = [rule for rule in rules if rule["resources"] == ["statefulsets"]]
    assert [rule["verbs"] for rule in named] == granted
    assert all(rule["resourceNames"] == ["demo"] for rule in named)
    assert any("pods" in rule["resources"] for rule in rules) == (not skip), "why they do not start"

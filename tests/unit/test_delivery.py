"""Unit (pure): delivery as ModelDeployment: what is sent, what is refused, and where the cluster's controller decides
otherwise.
"""

import json
from typing import Any

import pytest
import yaml

from airunway.planning.controller_decision import controller_decision, controller_differences
from airunway.planning.files import Files, Unreadable
from airunway.planning.model_deployment import object_name, provider_config, supported_fields
from airunway.planning.plan import Plan, parse_settings, plan_stack
from airunway.report.compare import compare
from airunway.report.preview_document import deployment_document
from airunway.selection.provider_config import InferenceProviderConfig, load_config
from airunway.text.problems import InputError
from providers import PROVIDERS
from tests.unit.samples import builtin, choose, config, spec
from tests.upstream_crds import crd_folder

GPU = {"resources": {"gpu": {"count": 1}}}
DISAGGREGATED = {
    "serving": {"mode": "disaggregated"},
    "scaling": {"prefill": {"gpu": {"count": 1}}, "decode": {"gpu": {"count": 1}}},
}
GROUPS = ("airunway.ai", "kubeairunway.ai")
CPU_RUNNER = next(c for c in builtin() if c.name == "kaito").spec.images["llamacppCpu"]
LLAMA_CPP: dict[str, Any] = {"type": "llamacpp"}
PRESET = {"provider": {"name": "kaito"}, "model": {"id": "phi-4-mini-instruct"}, **GPU}


def stack(*deployments: dict[str, Any], files: Any = None, **settings: Any) -> Plan:
    entries = [{"name": f"d{i}", "model": {"id": "org/model"}} | d for i, d in enumerate(deployments)]
    base = {"cluster": {"context": "kind"}, "namespace": "ml", "delivery": "modeldeployment", "deployments": entries}
    return plan_stack(parse_settings(base | settings), Files.from_texts(files or {}), PROVIDERS)


def sent(group: str = "airunway.ai", **fields: Any) -> dict[str, Any]:
    (planned,) = stack(fields, controller={"apiGroup": group}).deployments
    return planned.rendered.resource


def refused(*deployments: dict[str, Any], **settings: Any) -> str:
    with pytest.raises(InputError) as raised:
        stack(*deployments, **settings)
    return str(raised.value)


@pytest.mark.parametrize("group", GROUPS)
def test_the_spec_is_sent_as_it_was_written_with_resources_always_there(group: str) -> None:
    resource = sent(group, engine={"type": "vllm", "contextLength": 4096}, **GPU)
    assert resource["apiVersion"] == f"{group}/v1alpha1"
    assert resource["metadata"]["name"] == "d0-md"
    assert resource["spec"] == {
        "engine": {"type": "vllm", "contextLength": 4096},
        "model": {"id": "org/model"},
        "resources": {"gpu": {"count": 1}},
    }
    assert sent(group)["spec"]["resources"] == {}


def test_a_gpu_count_of_zero_is_not_sent_because_the_controllers_rules_can_not_see_it() -> None:
    assert sent(resources={"gpu": {"count": 0}, "memory": "8Gi"})["spec"]["resources"] == {"memory": "8Gi"}


def test_the_image_goes_where_the_group_has_it() -> None:
    image = {"engine": {"type": "vllm", "image": "r/x:1"}, **GPU}
    assert sent("airunway.ai", **image)["spec"]["engine"] == {"type": "vllm", "image": "r/x:1"}
    older = sent("kubeairunway.ai", **image)["spec"]
    assert (older["image"], older["engine"]) == ("r/x:1", {"type": "vllm"})


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize(
    ("fields", "image"),
    [
        ({"model": {"id": "o/x-GGUF"}}, CPU_RUNNER),
        ({"engine": {"type": "llamacpp"}}, CPU_RUNNER),
        ({"engine": {"type": "llamacpp"}, **GPU}, CPU_RUNNER.replace("-cpu:", "-cuda:")),
        ({"engine": {"type": "llamacpp", "image": "r/x:1"}}, "r/x:1"),
        ({"engine": {"type": "llamacpp"}, "image": "r/x:2"}, "r/x:2"),
        ({"model": {"source": "custom"}, "engine": {"type": "llamacpp", "image": "r/x:3"}}, "r/x:3"),
    ],
)
def test_the_image_of_llama_cpp_is_where_the_shim_of_kaito_looks_for_it(fields: Any, image: str, group: str) -> None:
    body = sent(group, **fields)["spec"]
    assert body["image"] == image
    assert "image" not in body.get("engine", {})


def test_an_image_that_nobody_knows_is_asked_for() -> None:
    custom = {"model": {"source": "custom"}, "engine": {"type": "llamacpp"}}
    assert "deployments[0].image: the controller's kaito shim needs the image to run" in refused(custom)


def test_the_token_is_named_and_never_sent() -> None:
    plan = plan_stack(
        parse_settings(
            {
                "cluster": {"context": "x"},
                "delivery": "modeldeployment",
                "deployments": [{"name": "a", "model": {"id": "o/m"}}],
            }
        ),
        Files(),
        PROVIDERS,
        has_token=True,
    )
    assert plan.deployments[0].rendered.resource["spec"]["secrets"] == {"huggingFaceToken": "huggingface-token"}
    assert plan.token_namespaces == ("default",)


def test_what_the_group_has_no_field_for_is_refused_by_its_path() -> None:
    assert "deployments[0].model.gguf: ModelDeployment of airunway.ai has no such field" in refused(
        {"model": {"id": "o/m", "gguf": {}}}
    )
    assert "model.source: the controller does not support aikit" in refused(
        {"model": {"source": "aikit", "id": "llama3.2:1b"}}
    )
    old = {"controller": {"apiGroup": "kubeairunway.ai"}}
    output = refused(
        {"engine": {"type": "vllm", "extraArgs": ["--x"], "enforceEager": True, "enablePrefixCaching": False}, **GPU},
        **old,
    )
    assert [
        field
        for field in ("extraArgs", "enforceEager", "enablePrefixCaching")
        if f"engine.{field}: ModelDeployment of kube" in output
    ] == [
        "extraArgs",
        "enforceEager",
        "enablePrefixCaching",
    ]


def test_the_fields_that_are_sent_are_those_of_the_group_s_definition() -> None:
    path = crd_folder() / "airunway-0.7.0" / "airunway.ai_modeldeployments.yaml"
    if not path.is_file():
        pytest.skip(f"no {path}")
    versions = yaml.load(path.read_text(), yaml.CSafeLoader)["spec"]["versions"]
    definition = next(v for v in versions if v["name"] == "v1alpha1")["schema"]["openAPIV3Schema"]["properties"]["spec"]
    for leaf in supported_fields("airunway.ai"):
        schema = definition
        for part in leaf.split("."):
            schema = schema["properties"][part.removesuffix("[]")]
            schema = schema["items"] if part.endswith("[]") else schema


def test_a_name_that_kuberay_would_cut_is_refused() -> None:
    pinned = {"provider": {"name": "kuberay"}, **GPU}
    assert "at most 47 characters" in refused({"name": "a" * 45, **pinned})
    assert stack({"name": "a" * 44, **pinned}).deployments[0].rendered.endpoint.service == "a" * 44 + "-md-serve-svc"


def test_the_object_never_has_the_name_of_the_one_that_direct_delivery_makes() -> None:
    for name in ("a", "a" * 63, "a-md"):
        assert object_name(name) != name
        assert len(object_name(name)) <= 63
    assert object_name("a" * 62 + "b") != object_name("a" * 62 + "c")


def test_deployments_choose_their_own_delivery_over_the_stacks() -> None:
    plan = stack({}, {"delivery": "direct"})
    assert [d.rendered.resource["kind"] for d in plan.deployments] == ["ModelDeployment", "Workspace"]
    assert plan.controller is not None
    assert stack({"delivery": "direct"}).controller is None


@pytest.mark.parametrize("group", GROUPS)
def test_the_providers_are_sent_in_the_shape_of_the_group_and_read_back_the_same(group: str) -> None:
    for name, body in PROVIDERS.documents.items():
        original = load_config(body, name)
        document = provider_config(original, group)
        assert document["apiVersion"] == f"{group}/v1alpha1"
        again = load_config(document, name)
        assert again.spec.selection_rules == original.spec.selection_rules
        assert [r.url for r in again.spec.installation.helm_repos] == [
            r.url for r in original.spec.installation.helm_repos
        ]
        if group == "airunway.ai":
            assert again.spec.capabilities == original.spec.capabilities
            installation = json.loads(document["metadata"]["annotations"]["airunway.ai/installation"])
            assert [c["name"] for c in installation.get("helmCharts", [])] == [
                c.name for c in original.spec.installation.helm_charts
            ]
        else:
            assert {c.name for c in again.spec.capabilities.engines} == {
                c.name for c in original.spec.capabilities.engines
            }
            assert all("values" not in chart for chart in document["spec"]["installation"].get("helmCharts", []))


TABLE: list[dict[str, Any]] = [
    {},
    {"resources": {"gpu": {"count": 0}}},
    {"engine": {"type": "sglang"}, **GPU},
    {"engine": {"type": "trtllm"}, **GPU},
    {"engine": {"type": "llamacpp"}},
    {"engine": {"type": "llamacpp"}, **GPU},
    DISAGGREGATED,
    GPU,
    {"engine": {"type": "vllm"}, "resources": {"gpu": {"count": 8}}},
    {"provider": {"name": "kuberay"}, **GPU},
]


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("fields", TABLE, ids=json.dumps)
def test_with_our_providers_registered_the_controller_decides_every_row_of_the_decision_table_alike(
    fields: Any, group: str
) -> None:
    chosen = choose(**fields)
    decision = controller_decision(sent(group, **fields)["spec"], builtin(), group)
    assert (decision.engine, decision.provider) == (str(chosen.engine), chosen.provider)


def output(configs: list[InferenceProviderConfig], **fields: Any) -> list[str]:
    body = spec(**fields)
    return controller_differences(
        body,
        sent(**fields)["spec"],
        choose(configs, **fields),
        configs,
        "airunway.ai",
        PROVIDERS.shims,
    )


def test_the_shims_own_rules_that_decide_otherwise_are_told_with_what_settles_it() -> None:
    (warning,) = [w for w in output(list(builtin()), resources={"gpu": {"count": 2}}) if "decide otherwise" in w]
    assert (
        warning
        == "with the rules that the provider shims register when they start, the controller would decide otherwise:"
        " vllm on kuberay, by priority 80; set engine.type: vllm and provider.name: dynamo to pin the decision"
    )
    settled = {"engine": {"type": "vllm"}, "provider": {"name": "dynamo"}, "resources": {"gpu": {"count": 2}}}
    assert [w for w in output(list(builtin()), **settled) if "decide otherwise" in w] == []


def test_a_provider_none_of_whose_rules_is_true_still_wins_in_the_controller_by_its_name() -> None:
    decision = controller_decision({"resources": {"gpu": {"count": 1.0}}}, [config("b"), config("a")], "airunway.ai")
    assert (decision.provider, decision.reason) == ("a", "name, as no rule of any provider is true")


def test_the_controller_chooses_the_engine_without_regard_to_the_named_provider() -> None:
    only = config("only", engines=[{"name": "sglang", "gpuSupport": True}])
    warnings = controller_differences(
        spec(provider={"name": "only"}, **GPU),
        {"model": {"id": "o/m"}, "provider": {"name": "only"}, "resources": {"gpu": {"count": 1}}},
        choose([only, config("x")], provider={"name": "only"}, **GPU),
        [only, config("x")],
        "airunway.ai",
        PROVIDERS.shims,
    )
    assert any("vllm on only, by provider.name; set engine.type: sglang" in w for w in warnings)


def test_a_rule_that_fails_counts_as_false_in_the_controller() -> None:
    failing = config("fails", ("spec.nothing.here == 1", 90))
    decision = controller_decision(
        {"engine": {"type": "vllm"}, "resources": {}},
        [failing, config("right", ("spec.engine.type == 'vllm'", 10))],
        "airunway.ai",
    )
    assert decision.provider == "right"


def test_nothing_fits_is_told_too() -> None:
    assert (
        controller_decision({"resources": {}}, [], "airunway.ai").reason
        == "no engine available from the registered providers"
    )
    pinned = {"engine": {"type": "trtllm"}, "resources": {}}
    assert controller_decision(pinned, list(builtin()), "airunway.ai").reason == "no compatible provider found"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"env": [{"name": "A", "value": "b"}], **GPU}, "env: the controller's dynamo shim drops it"),
        (
            {"engine": {"type": "llamacpp"}, **GPU},
            "resources.gpu: the controller's kaito shim asks for no GPU in the container",
        ),
        ({"scaling": {"replicas": 2}}, "scaling.replicas: the controller's kaito shim makes resource.count of it"),
        ({"provider": {"name": "kuberay"}, **GPU}, "serve configuration that Ray cannot import"),
        ({"scaling": {"replicas": 0}, **GPU}, "scaling.replicas: the controller loses the value 0"),
        ({"engine": LLAMA_CPP | {"contextLength": 4096}}, "engine.contextLength: the controller's kaito shim drops it"),
        ({"engine": LLAMA_CPP | {"args": {"threads": "4"}}}, "engine.args: the controller's kaito shim drops it"),
        ({"engine": LLAMA_CPP | {"extraArgs": ["--mlock"]}}, "engine.extraArgs: the controller's kaito shim drops it"),
        ({"tolerations": [{"operator": "Exists"}]}, "tolerations: the controller's kaito shim drops it"),
        (
            {"podTemplate": {"metadata": {"labels": {"a": "b"}}}},
            "podTemplate.metadata.labels: the controller's kaito shim puts them on the Workspace, not on its pods",
        ),
        (
            {"podTemplate": {"metadata": {"annotations": {"a": "b"}}}},
            "podTemplate.metadata.annotations: the controller's kaito shim puts them on the Workspace",
        ),
        (
            {
                "env": [
                    {"name": "A", "value": "b"},
                    {"name": "F", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
                ]
            },
            "env[].valueFrom.fieldRef: the controller's kaito shim leaves the variable without a value",
        ),
        (PRESET, "resources.gpu: the controller's kaito shim only selects nodes with nvidia.com/gpu.present"),
        (PRESET | {"env": [{"name": "A", "value": "b"}]}, "env: the controller's kaito shim drops it"),
        ({"provider": {"name": "kuberay"}, **GPU}, "overwrite each other's workerGroupSpecs for ever"),
        (
            {"engine": {"enablePrefixCaching": False}, **GPU},
            "engine.enablePrefixCaching: the controller loses the value false",
        ),
    ],
)
def test_what_the_shims_do_not_do_is_told_by_field(fields: Any, expected: str) -> None:
    assert any(expected in w for w in stack(fields).warnings)


def test_what_the_shim_of_kaito_does_is_not_told() -> None:
    secret = {"valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}
    environment = [{"name": "A", "value": "b"}, {"name": "B", **secret}]
    reported = stack(
        {"env": environment, "resources": {"cpu": "4", "memory": "8Gi"}, "nodeSelector": {"a": "b"}}
    ).warnings
    assert not any("shim" in warning for warning in reported)


def test_one_replica_is_what_the_shim_of_kaito_does() -> None:
    assert not any("scaling.replicas" in w for w in stack({"scaling": {"replicas": 1}}).warnings)


MANIFEST = """
apiVersion: v1
kind: Namespace
metadata: {name: airunway-system}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: modeldeployments.airunway.ai}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: controller, namespace: airunway-system}
"""
MANAGED = {"controller": {"installation": "managed", "manifests": ["controller.yaml"]}}


def test_a_managed_controller_is_made_from_its_manifests_definitions_first() -> None:
    controller = stack({}, files={"controller.yaml": MANIFEST}, **MANAGED).controller
    assert controller is not None
    assert [o["kind"] for o in controller.foundation] == ["Namespace", "CustomResourceDefinition"]
    assert [o["kind"] for o in controller.objects] == ["Deployment"]
    assert sorted(c["metadata"]["name"] for c in controller.configs) == ["dynamo", "kaito", "kuberay", "vllm"]


def test_a_namespace_that_the_stack_makes_anyway_is_made_once() -> None:
    controller = stack({}, files={"controller.yaml": MANIFEST}, namespace="airunway-system", **MANAGED).controller
    assert controller is not None
    assert [o["kind"] for o in controller.foundation] == ["CustomResourceDefinition"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: [", "controller.yaml: not YAML"),
        ("", "controller.yaml: contains no objects"),
        ("kind: Pod", "controller.yaml[0]: must be an object with apiVersion, kind and metadata.name"),
        (Unreadable("can't be read: no"), "controller.manifests[0]: controller.yaml can't be read: no"),
    ],
)
def test_bad_manifests_are_refused_with_their_place(text: Any, expected: str) -> None:
    assert expected in refused({}, files={"controller.yaml": text}, **MANAGED)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"controller": {"installation": "managed"}}, "installation: managed and manifests go together"),
        ({"controller": {"manifests": ["x.yaml"]}}, "installation: managed and manifests go together"),
        ({"controller": {"apiGroup": "example.com"}}, "controller.apiGroup"),
        ({"delivery": "helm"}, "delivery"),
    ],
)
def test_bad_settings_are_refused_with_their_path(settings: Any, expected: str) -> None:
    assert expected in refused({}, **settings)


def test_a_bad_delivery_of_one_deployment_is_refused_with_its_path() -> None:
    assert "deployments[0].delivery" in refused({"delivery": "helm"})


def test_a_switch_of_delivery_is_told_as_such_in_a_difference() -> None:
    old, new = (
        deployment_document(stack({"delivery": delivery}).deployments[0]) for delivery in ("direct", "modeldeployment")
    )
    del old["delivery"]  # as a release without delivery wrote it
    sides: list[Any] = [{"stack": "s", "resources": [], "deployments": [side]} for side in (old, new)]
    (change,) = compare(*sides).selections
    assert (change.new, change.because) == (
        "llamacpp on kaito as ModelDeployment",
        "delivery direct -> modeldeployment",
    )

"""Unit (pure): the provider vllm: what it refuses, warns of and selects by. Its flags meet the real parser in
test_vllm_flags.py.
"""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airunway.live.adoption import adopt
from airunway.planning.catalog import provider_configs
from airunway.planning.deployment import PlanContext, PlannedDeployment, plan_entry
from airunway.planning.files import Files
from airunway.planning.plan import parse_settings, plan_stack
from airunway.planning.settings import StackSettings
from airunway.text.merge import merge_patch
from airunway.text.problems import InputError
from providers import PROVIDERS
from tests.unit.samples import builtin, choose

BASE: dict[str, Any] = {
    "name": "demo",
    "model": {"id": "org/model"},
    "provider": {"name": "vllm"},
    "resources": {"gpu": {"count": 4}},
}


def planned(fields: dict[str, Any] | None = None, **settings: Any) -> PlannedDeployment:
    return plan_entry(
        merge_patch(BASE, fields or {}), PlanContext(PROVIDERS, builtin(), StackSettings.model_validate(settings))
    )


def pod(fields: dict[str, Any] | None = None) -> dict[str, Any]:
    result: dict[str, Any] = planned(fields).rendered.resource["spec"]["template"]
    return result


def arguments(fields: dict[str, Any]) -> list[str]:
    result: list[str] = pod(fields)["spec"]["containers"][0]["args"]
    return result


def test_it_serves_what_names_it_and_nothing_else() -> None:
    assert (planned().request.selection.provider, planned().request.selection.reason) == ("vllm", "explicit")
    for fields in (
        {},
        {"resources": {"gpu": {"count": 1}}},
        {"engine": {"type": "vllm"}, "resources": {"gpu": {"count": 64}}},
    ):
        assert choose(**fields).provider != "vllm"


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"engine": {"type": "llamacpp"}}, "engine.type: provider vllm does not run llamacpp (runs vllm)"),
        ({"engine": {"type": "sglang"}}, "engine.type: provider vllm does not run sglang (runs vllm)"),
        (
            {"resources": {"gpu": None}},
            "engine.type: no engine fits CPU, aggregated serving: vllm runs vllm on GPU (aggregated)",
        ),
        (
            {"model": {"source": "aikit", "id": "llama3.2:1b"}, "engine": {"type": "vllm"}},
            "AIKit images are for engine llamacpp",
        ),
        (
            {"podTemplate": {"metadata": {"labels": {"airunway.ai/provider": "x"}}}},
            "the Service selects its pods by airunway.ai/provider",
        ),
        ({"engine": {"args": {"port": "80"}}}, "engine.args.port: the Service and the probes speak plain HTTP"),
        (
            {"engine": {"extraArgs": ["--ssl_keyfile=x"]}},
            "engine.extraArgs[0]: the Service and the probes speak plain HTTP",
        ),
        ({"engine": {"args": {"api-key": "s3cret"}}}, "engine.args.api-key: a key does not belong in clear text here"),
        ({"engine": {"extraArgs": ["--tp=2"]}}, "engine.extraArgs[0]: vLLM 0.33.0 has no flag --tp"),
        ({"engine": {"args": {"max-model-length": "2"}}}, "did you mean 'max-model-len'"),
        (
            {"engine": {"args": {"enable-expert-parallel": "1"}}},
            "'1' given; --enable-expert-parallel of vLLM 0.33.0 is a switch",
        ),
        (
            {"engine": {"args": {"max-num-seqs": ""}}},
            "engine.args.max-num-seqs: --max-num-seqs of vLLM 0.33.0 takes a value",
        ),
        ({"engine": {"args": {"model": "x"}}}, "engine.args.model: model.id sets --model already"),
        (
            {"engine": {"args": {"pipeline-parallel-size": "8"}}},
            "resources.gpu.count: 4 given; --pipeline-parallel-size 8 of engine.args",
        ),
        (
            {"engine": {"extraArgs": ["-tp", "4", "-dp=2"]}},
            (
                "resources.gpu.count: 4 given; --tensor-parallel-size 4 × --data-parallel-size 2 of engine.args or"
                " engine.extraArgs take 8"
            ),
        ),
    ],
)
def test_what_can_not_serve_is_refused_with_the_reason(fields: dict[str, Any], problem: str) -> None:
    with pytest.raises(InputError) as refused:
        planned(fields)
    assert problem in str(refused.value)
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize(
    ("engine", "tensor"),
    [
        ({}, ["4"]),
        ({"args": {"pipeline-parallel-size": "2"}}, ["2"]),
        ({"args": {"data_parallel_size": "4"}}, []),
        ({"extraArgs": ["-pp", "2", "--data-parallel-size=2"]}, []),
        ({"args": {"tensor-parallel-size": "4"}}, ["4"]),
        ({"args": {"data-parallel-size": "16", "data-parallel-size-local": "4"}}, ["4"]),
    ],
    ids=str,
)
def test_tensor_parallelism_takes_the_gpus_that_other_sizes_leave(engine: dict[str, Any], tensor: list[str]) -> None:
    words = arguments({"engine": engine})
    assert [value for flag, value in pairwise(words) if flag == "--tensor-parallel-size"] == tensor


def test_gpus_that_stay_idle_are_worth_a_warning() -> None:
    (warning,) = planned({"engine": {"args": {"tensor-parallel-size": "2"}}}).warnings
    assert warning == "resources.gpu.count: 4 given, of which vLLM uses 2 by its parallel sizes"
    assert planned().warnings == []


def test_the_flags_of_an_image_of_another_release_are_its_own() -> None:
    mirrored = {"engine": {"extraArgs": ["--tp", "2"]}, "image": "mirror.internal/vllm-openai:v0.33.0"}
    with pytest.raises(InputError, match="no flag --tp"):
        planned(mirrored)
    assert "--tp" in arguments(mirrored | {"image": "mirror.internal/vllm-openai:v0.40.0"})


def test_the_service_and_the_deployment_select_just_the_pods_of_the_template() -> None:
    service, deployment = planned().rendered.supporting[0], planned().rendered.resource
    selector = service["spec"]["selector"]
    assert deployment["spec"]["selector"] == {"matchLabels": selector}
    assert (
        selector.items() <= pod({"podTemplate": {"metadata": {"labels": {"team": "x"}}}})["metadata"]["labels"].items()
    )
    assert (service["metadata"]["name"], service["spec"]["ports"][0]["port"]) == ("demo", 8000)
    assert planned().rendered.endpoint.url("ml") == "http://demo.ml.svc:8000/v1"
    for provider in ("dynamo", "kuberay"):  # under the same name, while a deployment goes from one to the other
        other = plan_entry(
            BASE | {"provider": {"name": provider}}, PlanContext(PROVIDERS, builtin(), StackSettings())
        ).rendered.resource
        assert "airunway.ai/provider" not in str(other)


def test_the_selector_is_the_same_whatever_else_is_said() -> None:
    more = {
        "engine": {"contextLength": 5},
        "scaling": {"replicas": 3},
        "podTemplate": {"metadata": {"labels": {"a": "b"}}},
    }
    assert planned(more).rendered.resource["spec"]["selector"] == planned().rendered.resource["spec"]["selector"]


def test_a_rollout_has_time_for_a_model_that_loads_for_long() -> None:
    spec = planned().rendered.resource["spec"]
    probe = spec["template"]["spec"]["containers"][0]["startupProbe"]
    load = probe["periodSeconds"] * probe["failureThreshold"]
    assert load == 3600
    assert spec["progressDeadlineSeconds"] > load


def stack(**defaults: str) -> Any:
    settings = {
        "cluster": {"context": "x"},
        "providers": {"vllm": {"spec": {"defaults": defaults}}},
        "deployments": [BASE],
    }
    return plan_stack(parse_settings(settings), Files(), PROVIDERS).deployments[0].rendered.resource["spec"]


def test_a_stack_sets_times_and_shared_memory() -> None:
    spec = stack(loadSeconds="7205", pullSeconds="60", sharedMemory="64Gi")
    assert spec["progressDeadlineSeconds"] == 7265
    assert spec["template"]["spec"]["containers"][0]["startupProbe"]["failureThreshold"] == 721
    assert spec["template"]["spec"]["volumes"][0]["emptyDir"]["sizeLimit"] == "64Gi"


@pytest.mark.parametrize("text", ["", "1h", "-5", "0", "9999999999", "٣٦٠٠x"])
def test_times_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(
        InputError, match=r"providers\.vllm\.spec\.defaults\.loadSeconds: .*must be a number of seconds, such as 3600"
    ):
        stack(loadSeconds=text)


def test_a_controller_has_the_provider_in_its_releases_of_today_only() -> None:
    by: dict[str, Any] = {"delivery": "modeldeployment", "controller": {"apiGroup": "airunway.ai"}}
    delivered = planned({"engine": {"type": "vllm"}}, **by)
    assert (delivered.rendered.resource["kind"], delivered.rendered.endpoint.service) == ("ModelDeployment", "demo-md")
    assert delivered.warnings == [
        "model: the controller's vllm shim runs a nightly image of vLLM unless engine.image names one"
    ]
    with pytest.raises(
        InputError, match=r"delivery: the controller of kubeairunway\.ai has no provider vllm; use delivery: direct"
    ):
        planned(**by | {"controller": {"apiGroup": "kubeairunway.ai"}})


def test_an_override_that_takes_everything_away_ends_in_no_traceback() -> None:
    assert planned({"provider": {"overrides": {"spec": None}}}).rendered.wait_for.startswith("[")


ARGUMENTS = st.dictionaries(
    st.sampled_from(
        ["seed", "max-num-seqs", "pipeline-parallel-size", "data_parallel_size", "chat-template", "async-scheduling"]
    ),
    st.sampled_from(["1", "2", "4"]),
    max_size=3,
)


@given(
    args=ARGUMENTS,
    extra=st.lists(st.sampled_from(["--seed=1", "-tp", "-pp=2", "2", "--enforce-eager"]), max_size=3),
    gpus=st.integers(1, 8),
)
def test_what_is_rendered_is_read_back_to_an_entry_that_renders_the_same(
    args: dict[str, str], extra: list[str], gpus: int
) -> None:
    fields = {
        "image": "registry.example/vllm:mine",
        "engine": {"args": args, "extraArgs": extra},
        "resources": {"gpu": {"count": gpus}},
    }
    try:
        obj = planned(fields | {"namespace": "ml"}).rendered.resource
    except InputError:
        return
    result = adopt(obj, PlanContext(PROVIDERS, builtin(), StackSettings()))
    assert result.entry is not None, (result.reasons, obj["spec"]["template"]["spec"]["containers"][0]["args"])
    assert "overrides" not in result.entry["provider"]


def with_cache(defaults: dict[str, str], fields: dict[str, Any] | None = None) -> PlannedDeployment:
    settings = {"providers": {"vllm": {"spec": {"defaults": defaults}}}}
    entry = merge_patch(BASE, fields or {}) | {"namespace": "ml"}
    raw = {"cluster": {"context": "x"}, "deployments": [entry], **settings}
    return plan_stack(parse_settings(raw), Files.from_texts({}), PROVIDERS).deployments[0]


def test_no_volume_keeps_the_weights_unless_a_stack_gives_its_size() -> None:
    assert [o["kind"] for o in planned().rendered.supporting] == ["Service"]
    assert [v["name"] for v in pod()["spec"]["volumes"]] == ["shm"]


@pytest.mark.parametrize(
    ("defaults", "replicas", "mode", "surge"),
    [
        ({}, 1, "ReadWriteOnce", 0),
        ({"cacheAccessMode": "ReadWriteMany"}, 3, "ReadWriteMany", "25%"),
        ({"cacheStorageClass": "fast"}, 1, "ReadWriteOnce", 0),
    ],
)
def test_a_volume_keeps_the_weights_where_every_replica_can_mount_it(
    defaults: dict[str, str], replicas: int, mode: str, surge: Any
) -> None:
    rendered = with_cache({"cacheStorage": "200Gi"} | defaults, {"scaling": {"replicas": replicas}}).rendered
    (claim,) = [o for o in rendered.supporting if o["kind"] == "PersistentVolumeClaim"]
    assert (claim["metadata"]["name"], claim["metadata"]["namespace"]) == ("demo-cache", "ml")
    assert claim["metadata"]["labels"].items() <= rendered.resource["metadata"]["labels"].items()
    assert claim["spec"]["accessModes"] == [mode]
    assert claim["spec"]["resources"] == {"requests": {"storage": "200Gi"}}
    assert claim["spec"].get("storageClassName") == defaults.get("cacheStorageClass")
    template = rendered.resource["spec"]["template"]["spec"]
    assert template["volumes"][1] == {"name": "cache", "persistentVolumeClaim": {"claimName": "demo-cache"}}
    assert template["containers"][0]["volumeMounts"][1] == {"name": "cache", "mountPath": "/root/.cache/huggingface"}
    assert rendered.resource["spec"]["strategy"]["rollingUpdate"]["maxSurge"] == surge


_DEFAULTS = "providers.vllm.spec.defaults"


@pytest.mark.parametrize(
    ("defaults", "replicas", "path", "text"),
    [
        ({"cacheStorage": "lots"}, 1, f"{_DEFAULTS}.cacheStorage", "'lots' given, must be a quantity"),
        ({"cacheStorage": "0"}, 1, f"{_DEFAULTS}.cacheStorage", "'0' given, must be a quantity"),
        (
            {"cacheStorage": "1Gi"},
            2,
            "scaling.replicas",
            f"only one node at a time can mount the cache; set {_DEFAULTS}.cacheAccessMode",
        ),
        (
            {"cacheStorage": "1Gi", "cacheAccessMode": "ReadWriteAll"},
            1,
            f"{_DEFAULTS}.cacheAccessMode",
            "'ReadWriteAll' given; valid: ReadWriteOnce, ReadWriteMany",
        ),
    ],
)
def test_a_volume_that_can_not_be_is_refused(defaults: dict[str, str], replicas: int, path: str, text: str) -> None:
    with pytest.raises(InputError) as refused:
        with_cache(defaults, {"scaling": {"replicas": replicas}})
    assert [(p.field.removeprefix("deployments[0]."), text in p.message) for p in refused.value.problems] == [
        (path, True)
    ]


def test_a_deployment_with_a_volume_is_read_back_as_it_is() -> None:
    settings = {"providers": {"vllm": {"spec": {"defaults": {"cacheStorage": "1Gi"}}}}, "cluster": {"context": "x"}}
    configs = provider_configs(parse_settings(settings), Files(), PROVIDERS)
    adoption = adopt(
        with_cache({"cacheStorage": "1Gi"}).rendered.resource, PlanContext(PROVIDERS, configs, StackSettings())
    )
    assert adoption.entry is not None, adoption.reasons
    assert "overrides" not in adoption.entry["provider"]

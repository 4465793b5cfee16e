"""Unit (pure): ``model.storage``, from its checks to claims, mounts and caches of each provider, and back."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airunway.live.adoption import adopt
from airunway.planning.catalog import provider_configs
from airunway.planning.deployment import PlanContext, PlannedDeployment, plan_entry
from airunway.planning.files import Files
from airunway.planning.settings import StackSettings
from airunway.text.merge import merge_patch
from airunway.text.problems import InputError
from providers import PROVIDERS
from providers.dynamo import v1alpha1
from tests.unit.samples import GPU, builtin, containers, worker_containers
from tests.unit.test_renderers import schema_of

NEW = PlanContext(PROVIDERS, builtin(), StackSettings(namespace="ml"))
OLD = NEW.with_api_version(PROVIDERS.require("dynamo"), v1alpha1.API_VERSION)
BASES: dict[str, dict[str, Any]] = {
    "dynamo": GPU,
    "kuberay": GPU | {"provider": {"name": "kuberay"}},
    "vllm": GPU | {"provider": {"name": "vllm"}},
    "kaito": {"engine": {"type": "llamacpp"}},
}
CACHE = {"name": "weights", "claimName": "shared", "purpose": "modelCache"}
COMPILED = {"name": "compiled", "claimName": "kernels", "purpose": "compilationCache"}
DATA = {"name": "data", "claimName": "data", "mountPath": "/data"}


def plan(
    volumes: list[dict[str, Any]], fields: dict[str, Any] | None = None, context: PlanContext = NEW
) -> PlannedDeployment:
    entry = {"name": "demo", "model": {"id": "org/model", "storage": {"volumes": volumes}}}
    return plan_entry(merge_patch(entry, GPU if fields is None else fields), context)


def problems(
    volumes: list[dict[str, Any]], fields: dict[str, Any] | None = None, context: PlanContext = NEW
) -> list[str]:
    with pytest.raises(InputError) as refused:
        plan(volumes, fields, context)
    return [str(p).removeprefix("model.storage.volumes") for p in refused.value.problems]


def workers(planned: PlannedDeployment) -> list[dict[str, Any]]:
    """The pod specs that load the model."""
    resource = planned.rendered.resource
    match resource["kind"]:
        case "DynamoGraphDeployment":
            return [c["podTemplate"]["spec"] for c in resource["spec"]["components"] if c["name"] != "Frontend"]
        case "RayService":
            return [g["template"]["spec"] for g in resource["spec"]["rayClusterConfig"]["workerGroupSpecs"]]
        case "Workspace":
            return [resource["inference"]["template"]["spec"]]
        case _:
            return [resource["spec"]["template"]["spec"]]


def variables(container: dict[str, Any]) -> dict[str, Any]:
    return {variable["name"]: variable.get("value") for variable in container.get("env", [])}


BAD = [
    ([{"name": "a", "mountPath": "/a"}], "[0].claimName: required, unless size is given"),
    ([{"name": "a", "claimName": "a"}], "[0].mountPath: required for purpose custom"),
    ([DATA | {"mountPath": "data"}], "[0].mountPath: 'data' given, must be an absolute path"),
    ([DATA | {"mountPath": "/data/../etc"}], "[0].mountPath: '/data/../etc' given, must be an absolute path"),
    ([DATA | {"mountPath": "/"}], "[0].mountPath: '/' given, must not be / nor in /dev"),
    ([DATA | {"mountPath": "//etc//x"}], "[0].mountPath: '//etc//x' given, must not be / nor in /dev"),
    *[
        ([DATA | {"mountPath": path}], f"[0].mountPath: '{path}' given, must not be / nor in /dev, /proc, /sys, /etc")
        for path in ("/dev", "/dev/shm", "/proc/1", "/sys", "/etc/ssl", "/var/run/secrets")
    ],
    ([DATA, DATA | {"claimName": "x", "mountPath": "/x"}], "[1].name: 'data' is the name of another volume too"),
    ([DATA, DATA | {"name": "x", "mountPath": "/x"}], "[1].claimName: 'data' is mounted as another volume too"),
    ([DATA, DATA | {"name": "x", "claimName": "x", "mountPath": "/data/"}], "[1].mountPath: /data/ is the path of"),
    ([CACHE, DATA | {"mountPath": "/model-cache"}], "[1].mountPath: /model-cache is the path of another volume too"),
    (
        [CACHE, CACHE | {"name": "x", "claimName": "x", "mountPath": "/x"}],
        "[1].purpose: another volume has purpose modelCache already; use custom",
    ),
    (
        [COMPILED, COMPILED | {"name": "x", "claimName": "x", "mountPath": "/x"}],
        "[1].purpose: another volume has purpose compilationCache already; use custom",
    ),
    ([DATA | {"accessMode": "ReadWriteMany"}], "[0].accessMode: 'ReadWriteMany' given, but only a claim that"),
    ([DATA | {"storageClassName": ""}], "[0].storageClassName: '' given, but only a claim that is created takes it"),
    ([{"name": "a", "size": "1Gi", "mountPath": "/a", "readOnly": True}], "[0].readOnly: a claim that is created"),
    ([{"name": "a", "size": "10", "mountPath": "/a"}], "[0].size: '10' given, which is 10 bytes; write 10Gi"),
    ([{"name": "a", "size": "x", "mountPath": "/a"}], "[0].size: 'x' given, must be a Kubernetes quantity"),
    ([{"name": "a", "size": 10, "mountPath": "/a"}], "[0].size: 10 given, must be a Kubernetes quantity with its unit"),
    ([DATA | {"purpose": "modelcache"}], "[0].purpose: 'modelcache' given, did you mean 'modelCache'?"),
    ([DATA | {"name": "Data"}], "[0].name: 'Data' given, must match"),
    ([DATA | {"claimName": "My_Claim"}], "[0].claimName: 'My_Claim' given, must match"),
    (
        [{"name": "a", "size": "1Gi", "mountPath": "/a", "claimName": "mine"}],
        "[0].claimName: 'mine' given, but with size the claim is called demo-a; leave it out",
    ),
    (
        [{"name": "a", "size": "1Gi", "mountPath": "/a"}, DATA | {"claimName": "demo-a"}],
        "[0].name: makes a claim demo-a, which another volume names as existing",
    ),
    ([COMPILED | {"readOnly": True}], "[0].readOnly: a compilation cache is written by the engine; leave it out"),
]


@pytest.mark.parametrize(("volumes", "problem"), BAD)
def test_a_volume_that_can_not_be_is_refused(volumes: list[dict[str, Any]], problem: str) -> None:
    (result,) = problems(volumes)
    assert result.startswith(problem)


def test_more_volumes_than_a_model_deployment_takes_are_refused() -> None:
    volumes = [{"name": f"v{n}", "claimName": f"v{n}", "mountPath": f"/v{n}"} for n in range(9)]
    assert problems(volumes) == [": 9 given, must be at most 8"]
    plan(volumes[:8])


CREATED = [
    ({}, {"accessModes": ["ReadWriteMany"]}),
    ({"accessMode": "ReadWriteOnce"}, {"accessModes": ["ReadWriteOnce"]}),
    ({"accessMode": "ReadOnlyMany", "storageClassName": "fast"}, {"storageClassName": "fast"}),
    ({"storageClassName": ""}, {"storageClassName": ""}),
    ({"claimName": "demo-data"}, {"accessModes": ["ReadWriteMany"]}),
]


@pytest.mark.parametrize("provider", BASES)
@pytest.mark.parametrize(("fields", "expected"), CREATED)
def test_a_claim_with_a_size_is_made_and_outlives_the_deployment(
    provider: str, fields: dict[str, Any], expected: dict[str, Any]
) -> None:
    planned = plan([{"name": "data", "size": "5Gi", "mountPath": "/data", **fields}], BASES[provider])
    (claim,) = [o for o in planned.rendered.supporting if o["kind"] == "PersistentVolumeClaim"]
    assert (claim["metadata"]["name"], claim["metadata"]["namespace"]) == ("demo-data", "ml")
    assert claim["metadata"]["labels"].items() <= planned.rendered.resource["metadata"]["labels"].items()
    assert claim["spec"]["resources"] == {"requests": {"storage": "5Gi"}}
    assert expected.items() <= claim["spec"].items()
    assert ("storageClassName" in claim["spec"]) == ("storageClassName" in fields)
    assert planned.rendered.retained == ("demo-data",)
    for pod in workers(planned):
        assert {"name": "data", "persistentVolumeClaim": {"claimName": "demo-data"}} in pod["volumes"]


@pytest.mark.parametrize("provider", BASES)
def test_an_existing_claim_is_mounted_and_not_made(provider: str) -> None:
    planned = plan([DATA | {"readOnly": True}, {"name": "x", "claimName": "y", "mountPath": "/z"}], BASES[provider])
    assert planned.rendered.retained == ()
    assert not [o for o in planned.rendered.supporting if o["kind"] == "PersistentVolumeClaim"]
    for pod in workers(planned):
        assert {"name": "x", "persistentVolumeClaim": {"claimName": "y"}} in pod["volumes"]
        mounts = pod["containers"][0]["volumeMounts"]
        assert mounts[-2:] == [
            {"name": "data", "mountPath": "/data", "readOnly": True},
            {"name": "x", "mountPath": "/z"},
        ]


@pytest.mark.parametrize("provider", ["dynamo", "kuberay", "vllm"])
@pytest.mark.parametrize(("fields", "path"), [({}, "/model-cache"), ({"mountPath": "/weights"}, "/weights")])
def test_a_model_cache_is_where_hugging_face_s_library_looks(provider: str, fields: Any, path: str) -> None:
    for pod in workers(plan([CACHE | fields], BASES[provider])):
        assert variables(pod["containers"][0])["HF_HOME"] == path
    own = {"env": [{"name": "HF_HOME", "value": "/mine"}]}
    for pod in workers(plan([CACHE | fields], BASES[provider] | own)):
        assert [v for v in pod["containers"][0]["env"] if v["name"] == "HF_HOME"] == own["env"]
    for pod in workers(plan([DATA], BASES[provider])):
        assert "HF_HOME" not in variables(pod["containers"][0])


def test_only_the_workers_of_a_graph_have_volumes_and_caches() -> None:
    roles = {role: {"gpu": {"count": 1}} for role in ("prefill", "decode")}
    planned = plan([CACHE, COMPILED], {"serving": {"mode": "disaggregated"}, "scaling": roles})
    frontend = containers(planned.rendered.resource)["Frontend"]
    assert "env" not in frontend
    assert "volumeMounts" not in frontend
    assert {"VllmPrefillWorker", "VllmDecodeWorker"} == set(worker_containers(planned.rendered.resource))
    for component in planned.rendered.resource["spec"]["components"][1:]:
        assert component["compilationCache"] == {"pvcName": "kernels", "mountPath": "/compilation-cache"}


CACHES = [
    ("dynamo", "vllm", {}, True),  # the operator tells vLLM
    ("dynamo", "sglang", {"SGLANG_CACHE_DIR": "/compilation-cache"}, True),
    ("kuberay", "vllm", {"VLLM_CACHE_ROOT": "/compilation-cache"}, False),
    ("vllm", "vllm", {"VLLM_CACHE_ROOT": "/compilation-cache"}, False),
]


@pytest.mark.parametrize(("provider", "engine", "expected", "by_field"), CACHES)
def test_an_engine_is_told_of_its_compilation_cache(
    provider: str, engine: str, expected: dict[str, str], by_field: bool
) -> None:
    planned = plan([COMPILED], BASES[provider] | {"engine": {"type": engine}})
    (pod,) = workers(planned)
    assert variables(pod["containers"][0]) == expected
    components = planned.rendered.resource["spec"].get("components", [{}, {}])
    assert ("compilationCache" in components[1]) is by_field


def test_a_user_s_own_compilation_cache_variable_is_not_overruled_by_the_operator() -> None:
    own = [{"name": "VLLM_CACHE_ROOT", "value": "/compilation-cache/sub"}]
    planned = plan([COMPILED], GPU | {"env": own})
    assert "compilationCache" not in planned.rendered.resource["spec"]["components"][1]
    (pod,) = workers(planned)
    assert pod["containers"][0]["env"] == own
    assert pod["containers"][0]["volumeMounts"] == [{"name": "compiled", "mountPath": "/compilation-cache"}]


REFUSED = [
    ([COMPILED], GPU | {"engine": {"type": "trtllm"}}, NEW, "[0].purpose: provider dynamo can't honour this: trtllm"),
    ([COMPILED], BASES["kaito"], NEW, "[0].purpose: provider kaito can't honour this: llamacpp has no compilation"),
    ([CACHE | {"mountPath": "/x"}], BASES["kaito"], NEW, "[0].purpose: provider kaito can't honour this: llama.cpp's"),
    ([CACHE, DATA | {"mountPath": "/models"}], BASES["kaito"], NEW, "[1].mountPath: provider kaito can't honour this"),
    (
        [CACHE],
        {"model": {"source": "aikit", "id": "llama3.2:1b"}},
        NEW,
        "[0].purpose: provider kaito can't honour this: the image holds the model; use purpose custom",
    ),
    (
        [DATA | {"mountPath": "/models"}],
        {"model": {"source": "aikit", "id": "llama3.2:1b"}},
        NEW,
        "[0].mountPath: provider kaito can't honour this: the volume would hide the image's model in /models",
    ),
    ([DATA | {"readOnly": True}], GPU, OLD, "[0].readOnly: provider dynamo can't honour this: a graph of nvidia.com"),
    ([DATA | {"claimName": "a.b"}], GPU, OLD, "[0].claimName: provider dynamo can't honour this: the operator names"),
    ([COMPILED | {"claimName": "a.b"}], GPU, NEW, "[0].claimName: provider dynamo can't honour this: the operator"),
    ([COMPILED, DATA | {"name": "kernels"}], GPU, NEW, "[0].claimName: provider dynamo can't honour this: the name of"),
    ([DATA | {"name": "shared-memory"}], GPU, NEW, "[0].name: provider dynamo can't honour this: shared-memory is"),
    ([DATA | {"name": "shared-mem"}], BASES["kuberay"], NEW, "[0].name: provider kuberay can't honour this"),
    ([DATA | {"name": "shm"}], BASES["vllm"], NEW, "[0].name: provider vllm can't honour this: shm is the name"),
    (
        [{"name": "a", "size": "1Gi", "mountPath": "/a", "accessMode": "ReadWriteOncePod"}],
        GPU | {"scaling": {"replicas": 2}},
        NEW,
        "[0].accessMode: ReadWriteOncePod given, but 2 pods mount the volume",
    ),
]


@pytest.mark.parametrize(("volumes", "fields", "context", "problem"), REFUSED)
def test_what_a_provider_can_not_do_with_a_volume_is_refused_by_name(
    volumes: list[dict[str, Any]], fields: dict[str, Any], context: PlanContext, problem: str
) -> None:
    (result,) = problems(volumes, fields, context)
    assert result.startswith(problem)


def test_a_preset_of_kaito_takes_no_volume() -> None:
    (result,) = problems([CACHE], GPU | {"provider": {"name": "kaito"}, "model": {"id": "microsoft/phi-4"}})
    assert result.startswith("model.storage: provider kaito can't honour this with engine vllm in mode aggregated")


def test_llama_cpp_s_runner_keeps_its_model_in_the_volume() -> None:
    for fields in ({}, {"mountPath": "/models"}):
        planned = plan([CACHE | fields], BASES["kaito"])
        (pod,) = workers(planned)
        assert pod["containers"][0]["volumeMounts"] == [{"name": "weights", "mountPath": "/models"}]
        assert "env" not in pod["containers"][0]
        assert [w for w in planned.warnings if "claimName: AIKit's runner keeps one model in a volume" in w]
    planned = plan([{"name": "weights", "size": "9Gi", "purpose": "modelCache"}], BASES["kaito"])
    assert not [w for w in planned.warnings if "AIKit's runner" in w]


def test_a_change_of_a_volume_replaces_a_workspace() -> None:
    immutable = plan([DATA], BASES["kaito"]).rendered.replace_on_changes
    assert "inference.template.spec.volumes" in immutable
    assert "inference.template.spec.containers[*].volumeMounts" in immutable


def test_an_older_graph_lists_its_claims() -> None:
    resource = plan([CACHE, DATA, COMPILED], GPU, OLD).rendered.resource
    assert resource["spec"]["pvcs"] == [{"name": name, "create": False} for name in ("shared", "data", "kernels")]
    assert "volumeMounts" not in resource["spec"]["services"]["Frontend"]
    assert resource["spec"]["services"]["VllmWorker"]["volumeMounts"] == [
        {"name": "shared", "mountPoint": "/model-cache"},
        {"name": "data", "mountPoint": "/data"},
        {"name": "kernels", "mountPoint": "/compilation-cache", "useAsCompilationCache": True},
    ]
    assert list(schema_of("DynamoGraphDeployment", "v1alpha1").iter_errors(resource)) == []


def test_a_volume_that_one_node_mounts_at_a_time_is_warned_of_and_rolled_out_in_place() -> None:
    volume = {"name": "a", "size": "1Gi", "mountPath": "/a", "accessMode": "ReadWriteOnce"}
    planned = plan([volume], BASES["vllm"] | {"scaling": {"replicas": 3}})
    assert [w for w in planned.warnings if w.startswith("model.storage.volumes[0].accessMode: all 3 pods")]
    assert planned.rendered.resource["spec"]["strategy"]["rollingUpdate"]["maxSurge"] == 0
    shared = plan([volume | {"accessMode": "ReadWriteMany"}], BASES["vllm"]).rendered.resource
    assert shared["spec"]["strategy"]["rollingUpdate"]["maxSurge"] == "25%"


def test_a_cache_that_can_not_be_written_is_warned_of() -> None:
    assert [w for w in plan([CACHE | {"readOnly": True}]).warnings if "must hold the model already" in w]
    assert plan([CACHE]).warnings == []


def cached() -> PlanContext:
    raw = {"providers": {"vllm": {"spec": {"defaults": {"cacheStorage": "9Gi"}}}}, "namespace": "ml"}
    settings = StackSettings.model_validate(raw)
    return PlanContext(PROVIDERS, provider_configs(settings, Files(), PROVIDERS), settings)


def test_a_model_cache_takes_the_place_of_the_provider_s_own() -> None:
    (pod,) = workers(plan([DATA], BASES["vllm"], cached()))
    assert [v["name"] for v in pod["volumes"]] == ["shm", "cache", "data"]
    planned = plan([CACHE], BASES["vllm"], cached())
    (pod,) = workers(planned)
    assert [v["name"] for v in pod["volumes"]] == ["shm", "weights"]
    assert [o["kind"] for o in planned.rendered.supporting] == ["Service"]
    own_path = "/root/.cache/huggingface"
    assert problems([DATA | {"name": "cache"}], BASES["vllm"], cached())[0].startswith("[0].name: provider vllm")
    assert problems([DATA | {"mountPath": own_path}], BASES["vllm"], cached())[0].startswith("[0].mountPath: provider")


@pytest.mark.parametrize("provider", BASES)
def test_volumes_are_read_back_beside_those_of_the_provider(provider: str) -> None:
    volumes: list[dict[str, Any]] = [DATA, {"name": "x", "claimName": "y", "mountPath": "/z", "readOnly": True}]
    for context in (NEW, cached()):
        adoption = adopt(plan(volumes, BASES[provider], context).rendered.resource, context)
        assert adoption.entry is not None, adoption.reasons
        assert adoption.entry["model"]["storage"] == {"volumes": volumes}
        assert "overrides" not in adoption.entry.get("provider", {})


PATHS = ["/model-cache", "/compilation-cache", "/models", "/a/b"]


@st.composite
def some_volumes(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Volumes that mostly go together."""
    purposes = draw(st.permutations(["custom", "modelCache", "compilationCache", "custom"]))
    paths = draw(st.permutations(PATHS))
    volumes: list[dict[str, Any]] = []
    for index in range(draw(st.integers(1, 4))):
        claim = draw(st.sampled_from([{"size": "5Gi"}, {"claimName": f"claim-{index}"}, {"claimName": f"v{index}"}]))
        more = {"readOnly": True} if "claimName" in claim and draw(st.booleans()) else {}
        volumes.append({"name": f"v{index}", "purpose": purposes[index], "mountPath": paths[index], **claim, **more})
    return volumes


NAMES = ["HF_HOME", "VLLM_CACHE_ROOT", "SGLANG_CACHE_DIR", "LOG"]
ENV = st.lists(
    st.fixed_dictionaries({"name": st.sampled_from(NAMES), "value": st.sampled_from(PATHS)}),
    max_size=3,
    unique_by=lambda variable: variable["name"],
)


@given(volumes=some_volumes(), env=ENV, base=st.sampled_from([*BASES.values(), GPU | {"engine": {"type": "sglang"}}]))
def test_any_volumes_are_read_back_to_an_entry_that_mounts_the_same(
    volumes: list[dict[str, Any]], env: list[dict[str, str]], base: dict[str, Any]
) -> None:
    for context in (NEW, OLD):
        try:
            resource = plan(volumes, base | {"env": env}, context).rendered.resource
        except InputError:
            continue
        adoption = adopt(resource, context)
        assert adoption.entry is not None, (adoption.reasons, resource)
        if {variable["name"] for variable in env} <= {"LOG"}:
            assert "overrides" not in adoption.entry.get("provider", {})
        assert (
            plan_entry(adoption.entry, context).rendered.resource["spec" if "spec" in resource else "inference"]
            == (resource["spec" if "spec" in resource else "inference"])
        )


def test_a_controller_is_sent_the_volumes_as_they_are_written() -> None:
    data = {"name": "data", "size": "5Gi", "mountPath": "/data", "accessMode": "ReadWriteOnce"}
    volumes: list[dict[str, Any]] = [CACHE, data]
    planned = plan(volumes, GPU | {"delivery": "modeldeployment"})
    assert planned.rendered.resource["spec"]["model"]["storage"] == {"volumes": volumes}
    assert planned.rendered.supporting == ()
    named = problems([volumes[1] | {"claimName": "demo-data"}], GPU | {"delivery": "modeldeployment"})
    assert named == [
        "[0].claimName: 'demo-data' given, but with size the claim is called demo-md-data; leave it out",
    ]
    february = StackSettings.model_validate({"controller": {"apiGroup": "kubeairunway.ai"}, "namespace": "ml"})
    (result, *_) = problems(volumes, GPU | {"delivery": "modeldeployment"}, PlanContext(PROVIDERS, builtin(), february))
    assert "ModelDeployment of kubeairunway.ai has no such field" in result


def test_an_empty_section_says_nothing() -> None:
    for base in (*BASES.values(), GPU | {"provider": {"name": "kaito"}}):
        storages: list[dict[str, Any]] = [{}, {"volumes": []}]
        for storage in storages:
            written = merge_patch({"name": "demo", "model": {"id": "org/model", "storage": storage}}, base)
            bare = merge_patch({"name": "demo", "model": {"id": "org/model"}}, base)
            assert plan_entry(written, NEW).rendered == plan_entry(bare, NEW).rendered

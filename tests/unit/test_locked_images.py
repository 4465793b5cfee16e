"""Unit (pure): the digests of ``models.lock.yaml`` in what every provider, the builder and the registry pull."""

import hashlib
import json
from typing import Any

import pytest
import yaml

from airunway.assessment.assessment import Assessment
from airunway.assessment.model_lock import LOCK_FILE
from airunway.planning.builder_objects import builder_objects
from airunway.planning.files import Files
from airunway.planning.plan import Plan, parse_settings, plan_stack
from airunway.planning.registry_objects import registry_objects
from airunway.planning.settings import BUILD_DATA
from airunway.planning.used_images import used_images
from airunway.provider.image_references import images_in, with_digests
from airunway.report.explain import deployment_facts, explanation_document
from airunway.text.problems import InputError
from providers import PROVIDERS
from tests.deployments import BUILT
from tests.unit.image_stacks import MANAGED

GPU = {"resources": {"gpu": {"count": 1}}}
CHAT = {"name": "chat", "model": {"id": "org/model"}, "engine": {"type": "vllm"}} | GPU
GGUF = {"name": "gguf", "model": {"id": "org/gguf"}}
OWN = {
    "name": "own",
    "model": {"source": "custom"},
    "engine": {"type": "llamacpp", "image": "mirror.internal:5000/own:1"},
}
PREMADE = {"name": "premade", "model": {"source": "aikit", "id": "llama3.2:1b"}}
PREMADE_IMAGE = "ghcr.io/kaito-project/aikit/llama3.2:1b"
DISAGGREGATED = {
    "serving": {"mode": "disaggregated"},
    "resources": {},
    "scaling": {"prefill": {"replicas": 1, "gpu": {"count": 1}}, "decode": {"replicas": 1, "gpu": {"count": 1}}},
}
PRESET = CHAT | {"model": {"id": "microsoft/phi-4"}, "provider": {"name": "kaito"}}
BUILDER, REGISTRY = BUILD_DATA["builder"]["image"], BUILD_DATA["registry"]["image"]


def on(provider: str, **more: Any) -> dict[str, Any]:
    return CHAT | {"provider": {"name": provider}} | more


ENTRIES = {
    "dynamo": on("dynamo"),
    "dynamo disaggregated": on("dynamo", **DISAGGREGATED),
    "sglang": on("dynamo", engine={"type": "sglang"}),
    "trtllm": on("dynamo", engine={"type": "trtllm"}),
    "kuberay": on("kuberay"),
    "kuberay disaggregated": on("kuberay", **DISAGGREGATED),
    "vllm": on("vllm"),
    "kaito on CPUs": GGUF,
    "kaito on GPUs": GGUF | GPU,
    "premade": PREMADE,
    "own image": OWN,
    "an image without a tag": OWN | {"engine": {"type": "llamacpp", "image": "mirror.internal:5000/own"}},
    "to the controller": OWN | {"delivery": "modeldeployment"},
    "a runner to the controller": GGUF | {"delivery": "modeldeployment"},
}


def digest(image: str) -> str:
    return f"sha256:{hashlib.sha256(image.encode()).hexdigest()}"


def plan(*entries: Any, lock: Any = None, **settings: Any) -> Plan:
    raw = {"cluster": {"context": "x"}, "deployments": list(entries), "registry": MANAGED} | settings
    texts = {} if lock is None else {LOCK_FILE: yaml.safe_dump(lock)}
    return plan_stack(parse_settings(raw), Files(texts=texts), PROVIDERS)


def locked(*entries: Any, **settings: Any) -> Plan:
    """The plan with a lock that has every image of the stack."""
    images = {image: digest(image) for image in used_images(plan(*entries, **settings | {"locked": False}))}
    return plan(*entries, lock={"images": images}, **settings)


def objects(made: Plan, at: int = 0) -> list[Any]:
    rendered = made.deployments[at].rendered
    return [rendered.resource, *rendered.supporting]


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=ENTRIES)
def test_every_image_of_a_deployment_has_its_digest_and_nothing_else_changes(entry: dict[str, Any]) -> None:
    before, after = plan(entry), locked(entry)
    images = set(images_in(objects(before)))
    assert images
    assert set(images_in(objects(after))) == {f"{image}@{digest(image)}" for image in images}
    text = json.dumps(objects(after))
    for image in images:
        text = text.replace(f"{image}@{digest(image)}", image)
    assert text == json.dumps(objects(before))
    assert after.warnings == before.warnings
    assert after.deployments[0].locked_images == {image: digest(image) for image in images}


@pytest.mark.parametrize("lock", [None, {"models": {}}, {"images": {}}, {"images": {"other/image:1": digest("")}}])
def test_what_the_lock_does_not_have_is_planned_as_before(lock: Any) -> None:
    entries = list(ENTRIES.values())[:8]
    named = [entry | {"name": f"d{number}"} for number, entry in enumerate(entries)]
    before, after = plan(*named), plan(*named, lock=lock)
    assert [d.rendered for d in after.deployments] == [d.rendered for d in before.deployments]
    assert all(not d.locked_images for d in after.deployments)


def test_an_image_with_a_digest_needs_none_and_keeps_its_own() -> None:
    image = f"mirror.internal/own:1@{digest('own')}"
    entry = OWN | {"engine": {"type": "llamacpp", "image": image}}
    assert [*used_images(plan(entry))] == []
    made = plan(entry, lock={"images": {"mirror.internal/own:1": digest("other")}}, locked=True)
    assert set(images_in(objects(made))) == {image}


def test_containers_and_image_volumes_of_overrides_are_locked_too() -> None:
    pod = {
        "initContainers": [{"name": "fetch", "image": "org/fetch:1"}],
        "volumes": [{"name": "adapters", "image": {"reference": "org/adapters:1", "pullPolicy": "Always"}}],
    }
    overrides = {"spec": {"template": {"spec": pod}}}
    made = locked(on("vllm") | {"provider": {"name": "vllm", "overrides": overrides}})
    assert {f"org/{name}:1@{digest(f'org/{name}:1')}" for name in ("fetch", "adapters")} < set(images_in(objects(made)))


def test_a_lock_with_images_is_required_to_have_them_all() -> None:
    with pytest.raises(InputError) as refused:
        plan(CHAT, OWN, lock={"images": {}}, locked=True, huggingFaceSecret="x")
    told = str(refused.value)
    assert "deployments[1].image: mirror.internal:5000/own:1 is not in stacks/models.lock.yaml" in told
    assert "which airunway:locked requires; run: airunway lock" in told
    assert locked(OWN, locked=True).deployments


def test_a_lock_of_before_says_nothing_of_images() -> None:
    assert plan(OWN, lock={"models": {}}, locked=True).deployments[0].locked_images == {}


@pytest.mark.parametrize("entry", [PRESET, CHAT | {"delivery": "modeldeployment"}], ids=["preset", "controller"])
def test_an_image_that_is_chosen_in_the_cluster_is_told_once_there_are_images_in_the_lock(entry: Any) -> None:
    assert [*used_images(plan(entry))] == []
    told = f"{entry['name']}: image: {LOCK_FILE} can't fix it, as an operator or a controller in the cluster chooses it"
    assert told not in plan(entry, lock={"models": {}}).warnings
    assert told in plan(entry, lock={"images": {}}).warnings


def test_what_builds_and_keeps_images_is_locked_and_what_it_builds_is_not() -> None:
    before, after = plan(BUILT), locked(BUILT)
    assert [*used_images(before)] == [BUILDER]
    assert "@" in REGISTRY
    pinned = f"{BUILDER}@{digest(BUILDER)}"
    assert set(images_in(builder_objects(after.settings))) == {pinned}
    (image,) = after.images
    assert set(images_in(image.job())) == {pinned}
    (asked,) = before.images
    assert (image.name, image.pull) == (asked.name, asked.pull), "AIKit's frontend decides what is built again"
    assert objects(after) == objects(before)
    with pytest.raises(InputError, match=f"builder.image: {BUILDER} is not in {LOCK_FILE}"):
        plan(BUILT, lock={"models": {"org/gguf": {"revision": "ab" * 20}}, "images": {}}, locked=True)


def test_a_mirror_s_registry_is_locked() -> None:
    managed = {"managed": MANAGED["managed"] | {"image": "mirror.internal/registry:3"}}
    made = locked(BUILT, registry=managed)
    assert made.settings.registry.managed
    images = set(images_in(registry_objects(made.settings.registry.managed)))
    assert images == {f"mirror.internal/registry:3@{digest('mirror.internal/registry:3')}"}


def test_a_stack_that_builds_nothing_needs_no_builder() -> None:
    assert BUILDER not in used_images(plan(CHAT))
    assert locked(OWN, locked=True)


def test_an_explanation_names_the_digests() -> None:
    (planned,) = locked(on("vllm")).deployments
    (image,) = planned.locked_images
    assert f"image {image} at {digest(image)[:19]}" in [*deployment_facts(planned, Assessment())]
    assert explanation_document(planned)["images"] == {image: digest(image)}


def test_images_are_found_in_fields_of_that_name_alone() -> None:
    found = {"image": "a:1", "images": "b:1", "list": [{"image": {"reference": "c:1"}}, {"image": {"name": "d:1"}}]}
    assert [*images_in(found)] == ["a:1", "c:1"]
    assert [*images_in([{"image": None}, {"image": 5}, "image", 7])] == []
    pinned = with_digests(found, dict.fromkeys(("a:1", "b:1", "c:1", "d:1"), "sha256:x"))
    assert pinned["image"] == "a:1@sha256:x"
    assert pinned["images"] == "b:1"
    assert pinned["list"] == [{"image": {"reference": "c:1@sha256:x"}}, {"image": {"name": "d:1"}}]
    assert found["image"] == "a:1"


@pytest.mark.parametrize(
    ("images", "told"),
    [
        ([], "images"),
        ({"a:1": "latest"}, "images.a:1"),
        ({"a:1": "sha256:abc"}, "images.a:1"),
        ({"a:1": digest("a").upper()}, "images.a:1"),
        ({f"a:1@{digest('a')}": digest("a")}, "images.a:1@"),
        ({"a 1": digest("a")}, "images.a 1"),
        ({"a:1": 5}, "images.a:1"),
    ],
)
def test_broken_digests_are_told_with_their_place(images: Any, told: str) -> None:
    with pytest.raises(InputError) as refused:
        plan(CHAT, lock={"images": images})
    assert f"{LOCK_FILE}.{told}" in str(refused.value)

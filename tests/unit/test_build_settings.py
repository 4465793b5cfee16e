"""Unit (pure): settings of image builds: their defaults, and what is refused with its path."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from airunway.planning.builder_objects import builder_objects
from airunway.planning.plan import parse_settings
from airunway.planning.registry_objects import registry_objects
from airunway.planning.settings import BuilderSettings, ManagedRegistry
from airunway.text.problems import InputError
from airunway.text.yaml_reading import plain_value
from tests.unit.image_stacks import BUILT, EXISTING, MANAGED, stack


@pytest.mark.parametrize("digest", ["sha256:abc", "sha256:", "latest", "sha256:" + "0" * 64 + "@sha256:" + "0" * 64])
def test_a_digest_that_was_cut_off_is_refused(digest: str) -> None:
    image = f"mirror/a:v1@{digest}"
    for settings in (
        {"builder": {"image": image}},
        {"builder": {"frontend": image}},
        {"registry": {"managed": MANAGED["managed"] | {"image": image}}},
        {"providers": {"kaito": {"spec": {"images": {"llamacppCpu": image}}}}},
    ):
        with pytest.raises(InputError, match="must match"):
            stack(BUILT, **settings)
    with pytest.raises(InputError, match="must match"):
        stack({"name": "a", "model": {"id": "org/gguf"}, "engine": {"image": image}})


def _defaults() -> Iterator[tuple[str, str, Any]]:
    """Setting and field of each default that a description names as a value, and the value."""
    for setting, model in (("registry", ManagedRegistry), ("builder", BuilderSettings)):
        for name, field in model.model_fields.items():
            if default := re.search(r"Default: ([^ ]+)\.$", field.description or ""):
                yield setting, field.alias or name, plain_value(default[1])


DEFAULTS = list(_defaults())


@pytest.mark.parametrize(("setting", "field", "default"), DEFAULTS)
def test_a_default_is_the_one_that_the_setting_s_description_names(setting: str, field: str, default: Any) -> None:
    def objects(**written: Any) -> Any:
        registry = {"managed": MANAGED["managed"] | (written if setting == "registry" else {})}
        plan = stack(BUILT, registry=registry, builder=written if setting == "builder" else {})
        assert plan.settings.registry.managed is not None
        services = [*registry_objects(plan.settings.registry.managed), *builder_objects(plan.settings)]
        return services, [image.job() for image in plan.images], plan.deployments[0].rendered

    other = {"nodePort": 31000, "timeout": "2h", "platform": "linux/arm64"}.get(field, "7Gi")
    assert objects(**{field: default}) == objects() != objects(**{field: other})


def test_the_settings_whose_defaults_are_values_are_known() -> None:
    assert {f"{setting}.{field}" for setting, field, _ in DEFAULTS} == {
        *("registry.storage", "registry.nodePort", "builder.storage", "builder.timeout", "builder.platform")
    }


def test_nothing_is_built_where_nothing_asks_for_it() -> None:
    plan = stack({"name": "a", "model": {"id": "org/gguf", "gguf": {"file": "x.gguf"}}}, registry={})
    assert plan.images == ()


@pytest.mark.parametrize(
    ("deployment", "settings", "message"),
    [
        (
            {"model": {"id": "a/b", "gguf": {"build": True}}},
            {},
            "deployments[0].model.gguf.file: required when model.gguf.build is true",
        ),
        (
            {"model": {"id": "a/b", "gguf": {"build": True, "file": "x.bin"}}},
            {},
            "deployments[0].model.gguf.file: 'x.bin' given",
        ),
        (
            {"engine": {"type": "vllm"}},
            {},
            "deployments[0].model.gguf.build: an image is built for engine llamacpp, but engine.type is vllm",
        ),
        ({"image": "x"}, {}, "deployments[0].image: model.gguf.build builds the image"),
        (
            {"model": {"source": "aikit", "id": "llama3.2:1b", "gguf": {"file": "x.gguf"}}},
            {},
            "deployments[0].model.gguf: only for source huggingface",
        ),
        ({}, {"registry": {}}, "registry: a deployment builds an image; set the registry"),
        ({}, {"registry": {"managed": {}}}, "registry.managed.nodeCidrs: required"),
        (
            {},
            {"registry": {"managed": {"nodeCidrs": ["everywhere"]}}},
            "registry.managed.nodeCidrs[0]: 'everywhere' given, must match",
        ),
        ({}, {"registry": {"managed": {"nodeCidrs": []}}}, "registry.managed.nodeCidrs"),
        (
            {},
            {"registry": {"managed": {"nodeCidrs": ["10.0.0.0/8"], "nodePort": 80}}},
            "registry.managed.nodePort: 80 given, must be at least 30000",
        ),
        ({}, {"registry": MANAGED | EXISTING}, "registry: managed and existing are both given; give one of the two"),
        ({}, {"registry": EXISTING}, "registry.existing.username: goes with the secret airunway:registryPassword"),
        ({}, {"registry": {"existing": {}}}, "registry.existing.host: required"),
        ({}, {"builder": {"timeout": "soon"}}, "builder.timeout: 'soon' given, must be a duration"),
        (
            {"provider": {"name": "dynamo"}, "resources": {"gpu": {"count": 1}}},
            {},
            "deployments[0].engine.type: no engine fits",
        ),
        (
            {"model": {"id": "a/b", "gguf": {"file": "x.gguf", "build": True}, "servedName": "mine"}},
            {},
            "deployments[0].model.servedName: provider kaito",
        ),
    ],
)
def test_a_bad_build_is_refused(deployment: dict[str, Any], settings: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as raised:
        stack(BUILT | deployment, **settings)
    assert any(str(p).startswith(message) for p in raised.value.problems), str(raised.value)


@pytest.mark.parametrize(
    ("size", "output"),
    [
        ("80", "'80' given, which is 80 bytes; write 80Gi"),
        (80, "80 given, must be a Kubernetes quantity with its unit, such as 16Gi"),
        ("80GB", "'80GB' given, must be a Kubernetes quantity, such as 16Gi"),
        ("0", "'0' given, must be more than 0"),
    ],
)
def test_a_volume_in_which_no_image_fits_is_refused(size: Any, output: str) -> None:
    managed: dict[str, Any] = {"nodeCidrs": ["10.0.0.0/16"], "storage": size}
    for settings, field in (
        ({"registry": {"managed": managed}}, "registry.managed.storage"),
        ({"builder": {"storage": size}}, "builder.storage"),
    ):
        with pytest.raises(InputError) as raised:
            parse_settings(settings)
        assert [str(problem) for problem in raised.value.problems] == [f"{field}: {output}"]


@pytest.mark.parametrize(("provider", "default"), [("kuberay", "workerMemory"), ("dynamo", "frontendMemory")])
def test_a_provider_s_memory_in_which_nothing_starts_is_refused(provider: str, default: str) -> None:
    entry = {"name": "a", "model": {"id": "a/b"}, "provider": {"name": provider}, "resources": {"gpu": {"count": 1}}}
    with pytest.raises(InputError) as raised:
        stack(entry, providers={provider: {"spec": {"defaults": {default: "48"}}}})
    assert [str(problem) for problem in raised.value.problems] == [
        f"deployments[0].providers.{provider}.spec.defaults.{default}: '48' given, which is 48 bytes; write 48Gi"
    ]

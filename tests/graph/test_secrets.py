"""Graph (mocks and recorder): the token and the registry's password: which Secrets hold them, who refers to those,
and that their text is nowhere else.
"""

import json
from pathlib import Path

import pytest

from airunway.report.manifests import manifest_files
from airunway.report.preview_document import preview_document
from tests.deployments import BUILT, CPU, GPU, RAY
from tests.graph.previews import TOKEN, of, one, stack
from tests.unit.samples import containers


def test_the_token_becomes_one_secret_per_namespace_and_is_referred_to(tmp_path: Path) -> None:
    other = GPU | {"name": "other", "namespace": "research"}
    custom = {
        "name": "c",
        "namespace": "free",
        "model": {"source": "custom"},
        "image": "x",
        "engine": {"type": "llamacpp"},
    }
    preview = stack(tmp_path, deployments=[CPU, GPU, other, custom], huggingFaceToken=TOKEN)
    secrets = of(preview, "Secret")
    assert [(s.inputs["metadata"]["namespace"], s.inputs["stringData"]) for s in secrets] == [
        ("ml", {"HF_TOKEN": "[secret]"}),
        ("research", {"HF_TOKEN": "[secret]"}),
    ]
    assert {s.secret_outputs for s in secrets} == {("stringData",)}
    worker = containers(one(preview, "DynamoGraphDeployment", "gpu").inputs)["VllmWorker"]
    assert worker["envFrom"] == [{"secretRef": {"name": "huggingface-token"}}]
    assert secrets[0].urn in one(preview, "DynamoGraphDeployment", "gpu").dependencies


def test_a_secret_goes_with_an_empty_config_map_so_that_nobody_needs_a_right_to_list_secrets(tmp_path: Path) -> None:
    registry = {"existing": {"host": "registry.test", "username": "ci"}}
    built = {"name": "built", "model": {"id": "org/gguf", "gguf": {"file": "m.gguf", "build": True}}}
    preview = stack(
        tmp_path, deployments=[GPU, built], registry=registry, huggingFaceToken=TOKEN, registryPassword=TOKEN
    )
    secrets = of(preview, "Secret")
    assert len(secrets) == 3, "token, push and pull"
    for secret in secrets:
        owner = one(preview, "ConfigMap", f"{secret.name}-owner")
        (reference,) = secret.inputs["metadata"]["ownerReferences"]
        assert (reference["name"], owner.inputs["metadata"]["namespace"]) == (
            owner.inputs["metadata"]["name"],
            secret.inputs["metadata"]["namespace"],
        )
        assert owner.urn in secret.dependencies
        assert "data" not in owner.inputs
    assert not [name for name in manifest_files(preview) if name.endswith("-owner.yaml")], (
        "nobody but Pulumi needs them"
    )
    assert one(preview, "kubernetes").inputs["enableSecretMutable"] == "true", "a new token is written in place"


def test_the_token_s_text_is_in_the_secret_s_request_and_nowhere_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("airunway.program.stack_file.encrypted_placeholder", lambda digest: "hf_the_text_itself")
    monkeypatch.setattr("airunway.program.record.SECRET", "[hidden]")
    preview = stack(tmp_path, deployments=[CPU, GPU, RAY], huggingFaceToken=TOKEN)
    assert "hf_the_text_itself" not in json.dumps(preview_document(preview))
    assert "hf_the_text_itself" not in json.dumps(preview.outputs)
    assert one(preview, "Secret").inputs["stringData"] == {"HF_TOKEN": "[hidden]"}


def test_an_existing_secret_is_used_by_name(tmp_path: Path) -> None:
    preview = stack(
        tmp_path,
        deployments=[GPU, GPU | {"name": "own", "secrets": {"huggingFaceToken": "mine"}}],
        huggingFaceSecret="shared",
    )
    assert of(preview, "Secret") == []
    used = {
        r.name: containers(r.inputs)["VllmWorker"]["envFrom"][0]["secretRef"]["name"]
        for r in of(preview, "DynamoGraphDeployment")
    }
    assert used == {"gpu": "shared", "own": "mine"}


def test_a_registry_s_password_is_in_its_login_secrets_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("airunway.program.stack_file.encrypted_placeholder", lambda digest: "the-password-itself")
    monkeypatch.setattr("airunway.program.record.SECRET", "[hidden]")
    existing = {"existing": {"host": "registry.internal", "username": "ci"}}
    preview = stack(tmp_path, deployments=[BUILT], registry=existing, registryPassword=TOKEN)
    assert {(s.inputs["metadata"]["namespace"], s.inputs["metadata"]["name"]) for s in of(preview, "Secret")} == {
        ("airunway-system", "airunway-registry-push"),
        ("ml", "airunway-registry-pull"),
    }
    assert all(s.inputs["stringData"] == {".dockerconfigjson": "[hidden]"} for s in of(preview, "Secret"))
    assert "the-password-itself" not in json.dumps([r.inputs for r in preview.resources])
    assert set(one(preview, "Workspace").dependencies) & {s.urn for s in of(preview, "Secret")}

"""Unit (pure): credentials of many makers are known by their form, refused wherever they stand, and never shown."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airunway.spec.checks import parse_spec
from airunway.spec.clear_text import credential_fields
from airunway.spec.entry import DeploymentEntry
from airunway.text.credentials import credential_in, without_tokens
from airunway.text.problems import InputError
from airunway.text.yaml_reading import read_documents

ROOT = Path(__file__).parents[2]
LONG = "aB3dE5gH7j" * 8


def part(data: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(data).encode()).decode().rstrip("=")


CREDENTIALS = {
    f"hf_{LONG[:34]}": "Hugging Face token",
    f"hf_oauth_{LONG[:40]}": "Hugging Face token",
    f"api_org_{LONG[:34]}": "Hugging Face token",
    f"sk-{LONG[:48]}": "key of OpenAI's or Anthropic's kind",
    f"sk-proj-{LONG[:40]}_{LONG[:20]}": "key of OpenAI's or Anthropic's kind",
    f"sk-ant-api03-{LONG[:60]}": "key of OpenAI's or Anthropic's kind",
    f"ghp_{LONG[:36]}": "GitHub token",
    f"ghs_{LONG[:36]}": "GitHub token",
    f"github_pat_{LONG[:22]}_{LONG[:59]}": "GitHub token",
    f"glpat-{LONG[:20]}": "GitLab token",
    "AKIA" + "QWERTY23ASDFGH45": "AWS access key",
    "ASIA" + "QWERTY23ASDFGH45": "AWS access key",
    f"AIza{LONG[:35]}": "Google API key",
    f"nvapi-{LONG[:64]}": "NVIDIA API key",
    f"xoxb-123456789012-{LONG[:24]}": "Slack token",
    f"{part({'alg': 'HS256'})}.{part({'sub': '1234567890'})}.{LONG[:43]}": "JSON Web Token",
    f"-----BEGIN RSA PRIVATE KEY-----\n{LONG}\n-----END RSA PRIVATE KEY-----": "private key",
    f"-----BEGIN PRIVATE KEY-----\n{LONG}": "private key",
    f"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,0\n\n{LONG}": "private key",
}


@pytest.mark.parametrize(("text", "kind"), CREDENTIALS.items(), ids=lambda value: value[:16])
def test_a_credential_is_known_by_its_form_within_other_text(text: str, kind: str) -> None:
    for around in ("{}", "Bearer {}", "a={}&b=c", '{{"key": "{}"}}'):
        whole = around.format(text)
        assert credential_in(whole) == kind
        assert LONG[:12] not in without_tokens(whole)
        assert credential_in(without_tokens(whole)) in (None, "private key")


@pytest.mark.parametrize(("text", "kind"), CREDENTIALS.items(), ids=lambda value: value[:16])
@pytest.mark.parametrize(
    "place", ["env[0].value", "podTemplate.metadata.annotations.note", "provider.overrides.spec.x"]
)
def test_a_credential_is_refused_wherever_it_stands_and_not_shown(text: str, kind: str, place: str) -> None:
    places: dict[str, dict[str, Any]] = {
        "env[0].value": {"env": [{"name": "PLAIN", "value": text}]},
        "podTemplate.metadata.annotations.note": {"podTemplate": {"metadata": {"annotations": {"note": text}}}},
        "provider.overrides.spec.x": {"provider": {"overrides": {"spec": {"x": text}}}},
    }
    _, (problem,) = parse_spec({"name": "a", "model": {"id": "org/m"}} | places[place], DeploymentEntry)
    assert problem.field == place
    assert "must not be in clear text" in problem.message
    assert kind == "Hugging Face token" or kind in problem.message
    assert LONG[:12] not in str(problem)


@pytest.mark.parametrize(
    "text",
    [
        "meta-llama/Llama-3.1-8B-Instruct",
        "hf_transfer",
        "sk-learn",
        "task-sk-short",
        "org/sk-hynix-some-very-long-model-name-instruct-awq-4bit",
        "ghcr.io/x/sk-model-server-for-long-context-reranking:v1.2.3",
        "docker.io/library/registry:3.1.2@sha256:ddf754342cfc8acc51a56d5d0ab6af06826461864460636d8bd5c546dab2a7b8",
        "6f6073b423013f6a7d4d9f39144961bfbfbc386b",
        "ghp_short",
        "AKIAshort",
        "eyJ.eyJ.x",
        "xoxb-1",
        "-----BEGIN CERTIFICATE-----",
        "-----BEGIN PUBLIC KEY-----",
    ],
)
def test_other_text_is_no_credential(text: str) -> None:
    assert credential_in(text) is None
    assert without_tokens(text) == text


@given(st.text())
def test_text_without_a_credential_is_shown_as_it_is(text: str) -> None:
    if credential_in(text) is None:
        assert without_tokens(text) == text


def test_what_the_project_brings_holds_no_credential() -> None:
    for path in [*ROOT.glob("stacks/*.yaml"), *ROOT.glob("providers/*/*.yaml"), *ROOT.glob("airunway/**/*.yaml")]:
        try:
            documents = read_documents(path.read_text(), path.name)
        except InputError:  # with tags of Pulumi's
            continue
        assert not list(credential_fields(documents)), path


@pytest.mark.parametrize("value", ["true", "False", "1.5", "-3", "off", "0", "$(OTHER)"])
@pytest.mark.parametrize("name", ["USE_TOKEN", "SCALE_TOKEN", "API_KEY"])
def test_a_number_or_a_switch_is_no_secret_whatever_the_variable_is_called(name: str, value: str) -> None:
    entry = {"name": "a", "model": {"id": "org/m"}, "env": [{"name": name, "value": value}]}
    assert parse_spec(entry, DeploymentEntry)[1] == []


@pytest.mark.parametrize(("name", "refused"), [("DB_PASSWORD", True), ("OPENAI_API_KEY", True), ("MODE", False)])
def test_variables_in_overrides_are_judged_by_their_names_too(name: str, refused: bool) -> None:
    container = {"name": "c", "env": [{"name": name, "value": "s3cret"}]}
    overrides = {"spec": {"template": {"spec": {"containers": [container]}}}}
    entry = {"name": "a", "model": {"id": "org/m"}, "provider": {"overrides": overrides}}
    fields = [problem.field for problem in parse_spec(entry, DeploymentEntry)[1]]
    assert fields == (["provider.overrides.spec.template.spec.containers[0].env[0]"] if refused else [])

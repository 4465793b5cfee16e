"""Unit (pure): credentials in clear text are refused wherever they stand, and no message shows them."""

from typing import Any

import pytest

from airunway.planning.plan import parse_settings
from airunway.provider.live_pod import EnvVar
from airunway.provider.pod_reading import read_environment
from airunway.provider.pods import TOKEN_KEY
from airunway.spec.checks import parse_spec
from airunway.spec.entry import DeploymentEntry
from airunway.text.merge import merge_patch
from airunway.text.problems import InputError, format_value
from tests.unit.controller_stacks import refused
from tests.unit.samples import GPU, plan

TOKEN = "hf_" + "aB3" * 11 + "z"


def problems(fields: dict[str, Any]) -> list[str]:
    entry = merge_patch({"name": "a", "model": {"id": "org/m"}}, fields)
    return [str(problem) for problem in parse_spec(entry, DeploymentEntry)[1]]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"env": [{"name": "HF_TOKEN", "value": "x"}]}, "env[0]"),
        ({"env": [{"name": "A"}, {"name": "HUGGING_FACE_HUB_TOKEN", "value": "x"}]}, "env[1]"),
        ({"env": [{"name": "HUGGINGFACE_TOKEN", "value": ""}]}, "env[0]"),
        ({"env": [{"name": "HUGGINGFACEHUB_API_TOKEN", "value": TOKEN}]}, "env[0]"),
        ({"env": [{"name": "HEADER", "value": f"Bearer {TOKEN}"}]}, "env[0].value"),
        ({"engine": {"args": {"hf-token": "secret"}}}, "engine.args.hf-token"),
        ({"engine": {"args": {"hf_token": TOKEN}}}, "engine.args.hf_token"),
        ({"engine": {"args": {"loader": f'{{"token": "{TOKEN}"}}'}}}, "engine.args.loader"),
        ({"engine": {"extraArgs": ["--hf-token", "secret"]}}, "engine.extraArgs[0]"),
        ({"engine": {"extraArgs": ["--seed=1", "--hf_token=secret"]}}, "engine.extraArgs[1]"),
        ({"engine": {"extraArgs": ["--seed", TOKEN]}}, "engine.extraArgs[1]"),
        ({"podTemplate": {"metadata": {"annotations": {"note": TOKEN}}}}, "podTemplate.metadata.annotations.note"),
        ({"annotations": {"note": TOKEN}}, "annotations.note"),
        (
            {"provider": {"overrides": {"spec": {"envs": [{"name": "HF_TOKEN", "value": "x"}]}}}},
            "provider.overrides.spec.envs[0]",
        ),
        ({"provider": {"overrides": {"spec": {"x": [{"y": f"a {TOKEN}"}]}}}}, "provider.overrides.spec.x[0].y"),
    ],
)
def test_a_token_in_clear_text_is_refused_at_its_field(fields: dict[str, Any], field: str) -> None:
    (problem,) = problems(fields)
    assert problem.startswith(f"{field}: a token must not be in clear text; set ")
    assert TOKEN not in problem


@pytest.mark.parametrize(
    "name", ["GITHUB_TOKEN", "TOKEN", "OPENAI_API_KEY", "AWS_SECRET_ACCESS_KEY", "db_password", "CLIENT_SECRET"]
)
def test_a_variable_named_as_a_secret_is_refused_with_a_value(name: str) -> None:
    assert problems({"env": [{"name": name, "value": "s3cret"}]}) == [
        "env[0]: a secret must not be in clear text; use valueFrom with a Secret of the cluster, or encrypt the value"
        " with `pulumi config set --secret --path`"
    ]
    assert problems({"env": [{"name": name, "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]}) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MAX_TOKENS", "many"),
        ("TOKENIZER", "org/m"),
        ("TOKEN_LIMIT", "x"),
        ("MYTOKEN", "x"),
        ("SECRET_NAME", "x"),
        ("SEED_TOKEN", "7"),
        ("PAD_TOKEN", "<pad>"),
        ("MODEL_EOS_TOKEN", "</s>"),
        ("API_KEY", ""),
        ("API_KEY", "$(OTHER)"),
    ],
)
def test_a_variable_that_holds_no_secret_is_accepted(name: str, value: str) -> None:
    assert problems({"env": [{"name": name, "value": value}]}) == []


@pytest.mark.parametrize("extra", [["--api-key", "s3cret"], ["--api-key=s3cret"], ["--api_key=s3cret"]])
def test_a_key_in_clear_text_is_refused_and_not_shown(extra: list[str]) -> None:
    result = problems({"engine": {"args": {"api-key": "s3cret"}, "extraArgs": extra}})
    assert [p.split(": ")[1][:27] for p in result] == ["a key does not belong in cl"] * 2
    assert "s3cret" not in "".join(result)


@pytest.mark.parametrize("argument", ["--api-key s3cret", "-t s3cret", "--max-model-len 8192 ", "--a\tb=c"])
def test_a_flag_and_its_value_in_one_element_are_refused_without_the_value(argument: str) -> None:
    (problem,) = problems({"engine": {"extraArgs": ["--seed=1", argument]}})
    flag = argument.split()[0]
    assert problem == (
        f"engine.extraArgs[1]: {flag} and its value are in one element; write two, '{flag}' and the value, or"
        f" {flag}=VALUE"
    )


@pytest.mark.parametrize("argument", ["--chat-template={{ a b }}", "two words", "--x=a b"])
def test_a_value_may_have_blanks(argument: str) -> None:
    assert problems({"engine": {"extraArgs": ["--seed=1", argument]}}) == []


@pytest.mark.parametrize(
    "fields",
    [
        {"env": [{"name": "HF_HOME", "value": "/cache/hf_cache"}]},
        {"env": [{"name": "HUGGING_FACE_HUB_TOKEN", "valueFrom": {"secretKeyRef": {"name": "t", "key": "k"}}}]},
        {"engine": {"args": {"hf-token": "", "hf-config-path": "hf_config"}}},
        {"engine": {"extraArgs": ["--hf-token", "--seed=1"]}},
        {"engine": {"extraArgs": ["--seed=1", "--hf-token"]}},
        {"provider": {"overrides": {"spec": {"envs": [{"name": "HF_TOKEN", "valueFrom": {"secretKeyRef": {}}}]}}}},
    ],
)
def test_what_only_looks_like_a_token_is_accepted(fields: dict[str, Any]) -> None:
    assert problems(fields) == []


@pytest.mark.parametrize(
    "fields",
    [
        {"env": TOKEN},
        {"engine": {"args": [TOKEN]}},
        {"secrets": {"huggingFaceToken": TOKEN}},
        {"image": f"a {TOKEN}"},
        {"engine": {"args": {"hf-token": TOKEN}, "extraArgs": [f"--hf-token={TOKEN}"]}},
        {"name": TOKEN},
        {"namespace": f"a {TOKEN}"},
        {"model": {"id": f"https://{TOKEN}@huggingface.co/a/b"}},
    ],
)
def test_no_message_about_something_else_shows_a_token(fields: dict[str, Any]) -> None:
    result = problems(fields)
    assert result
    assert TOKEN[3:].lower() not in "\n".join(result).lower()


def test_a_value_is_shown_without_tokens_even_where_it_is_cut() -> None:
    assert format_value(["x" * 20, TOKEN], 50) == repr(["x" * 20, "hf_…"])


@pytest.mark.parametrize("provider", ["dynamo", "kuberay", "vllm"])
def test_the_user_s_own_token_is_the_only_one_in_either_variable(provider: str) -> None:
    own = {"name": "HUGGING_FACE_HUB_TOKEN", "valueFrom": {"secretKeyRef": {"name": "mine", "key": "k"}}}
    fields = GPU | {"provider": {"name": provider}, "env": [own], "secrets": {"huggingFaceToken": "theirs"}}
    text = str(plan(fields).rendered.resource)
    assert (TOKEN_KEY in text, "theirs" in text, "mine" in text) == (False, False, True)


def test_a_token_of_the_user_s_own_is_read_back_beside_the_other_one() -> None:
    secret = {"valueFrom": {"secretKeyRef": {"name": "mine", "key": "HF_TOKEN"}}}
    env = [{"name": "HUGGING_FACE_HUB_TOKEN"} | secret, {"name": "HF_TOKEN"} | secret]
    variables = [EnvVar.model_validate(variable) for variable in env]
    assert read_environment(variables) == {"env": env}
    assert read_environment(variables[1:]) == {"secrets": {"huggingFaceToken": "mine"}}


CHART = {"installation": {"helmCharts": [{"name": "c", "values": {"a": {"list": [TOKEN]}}}]}}


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"huggingFaceSecret": TOKEN}, "huggingFaceSecret"),
        (
            {"providers": {"dynamo": {"spec": CHART}}},
            "providers.dynamo.spec.installation.helmCharts[0].values.a.list[0]",
        ),
        ({"cluster": {"context": "c", "kubeconfig": f"/home/{TOKEN}"}}, "cluster.kubeconfig"),
    ],
)
def test_a_token_in_a_stack_s_settings_is_refused_and_not_shown(settings: dict[str, Any], field: str) -> None:
    with pytest.raises(InputError) as raised:
        parse_settings({"cluster": {"context": "c"}} | settings)
    assert str(raised.value).startswith(f"{field}: a token must not be in clear text; set ")
    assert TOKEN[3:] not in str(raised.value)


def test_a_token_in_a_controller_s_manifests_is_refused_and_not_shown() -> None:
    manifest = f"{{apiVersion: v1, kind: Secret, metadata: {{name: s}}, stringData: {{token: {TOKEN}}}}}"
    settings = {"installation": "managed", "manifests": ["c.yaml"]}
    message = str(refused({}, files={"c.yaml": manifest}, controller=settings))
    assert "c.yaml[0].stringData.token: a token must not be in clear text; set " in message
    assert TOKEN[3:] not in message

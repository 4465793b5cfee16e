"""Graph (recorder): encrypted values inside a stack's settings stay secret on their way into objects and Helm values,
and are refused elsewhere.
"""

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from airunway.program.record import Preview, Recorder, record, run_function
from airunway.program.stack_config import plan_from_config
from airunway.program.stack_file import StackConfig, read_stack
from airunway.report.compare import compare
from airunway.report.html import preview_html
from airunway.report.manifests import manifest_files
from airunway.report.markdown import preview_markdown
from airunway.report.preview_document import preview_document
from airunway.text.config_text import config_text
from airunway.text.problems import InputError
from components.model_serving import serve
from tests.deployments import CPU, GPU, RAY
from tests.graph.previews import of, one
from tests.graph.projects import copy_program

TEXT = "correct-horse-battery"
VLLM = {"name": "plain", "model": {"id": "org/m"}, "provider": {"name": "vllm"}, "resources": {"gpu": {"count": 1}}}
KINDS = {"cpu": "Workspace", "gpu": "DynamoGraphDeployment", "ray": "RayService", "plain": "Deployment"}
ENTRIES = {entry["name"]: entry for entry in (CPU, GPU, RAY, VLLM)}


def secure(text: str = TEXT) -> dict[str, str]:
    return {"secure": f"v1:{text[::-1]}"}


def settings(*deployments: Any, **more: Any) -> dict[str, Any]:
    return {"cluster": {"context": "x"}, "deployments": list(deployments)} | more


def with_variable(entry: Any, value: Any, name: str = "DATABASE_PASSWORD") -> Any:
    return entry | {"env": [{"name": "PLAIN", "value": "1"}, {"name": name, "value": value}]}


def release(value: Any) -> dict[str, Any]:
    charts = [{"name": "kaito-workspace", "values": {"nested": {"list": ["plain", value]}}}]
    return {"kaito": {"spec": {"installation": {"helmCharts": charts}}}}


def project(root: Path, content: Any) -> Path:
    copy_program(root)
    config = {f"airunway:{key}": value for key, value in content.items()}
    (root / "stacks" / "Pulumi.own.yaml").write_text(yaml.safe_dump({"config": config}))
    return root


def offline(root: Path, content: Any) -> Preview:
    return record(project(root, content), read_stack(root, "own"))


def decrypted(value: Any) -> Any:
    if isinstance(value, dict):
        return value["secure"][3:][::-1] if set(value) == {"secure"} else {k: decrypted(v) for k, v in value.items()}
    return [decrypted(inner) for inner in value] if isinstance(value, list) else value


def handed_over(root: Path, content: Any, file: Any = None) -> Recorder:
    """What the program registers when Pulumi hands it the decrypted ``content``, beside a file with ``file``."""
    project(root, content if file is None else file)
    texts = {f"airunway:{key}": config_text(decrypted(value)) for key, value in content.items()}
    secrets = tuple(key for key in texts if "secure" in json.dumps(content[key.removeprefix("airunway:")]))

    def program() -> None:
        plan, outputs = plan_from_config()
        serve(plan, outputs)

    with contextlib.chdir(root):
        return run_function(program, StackConfig("airunway", "own", texts, secrets))


@pytest.mark.parametrize("name", ENTRIES)
def test_a_variable_is_secret_in_the_object_of_every_provider(name: str, tmp_path: Path) -> None:
    content = settings(with_variable(ENTRIES[name], secure()))
    recorder = handed_over(tmp_path, content)
    (resource,) = [r for r in recorder.registered if r.kind == KINDS[name]]
    assert TEXT not in json.dumps(resource.inputs)
    assert resource.secrets
    assert all(field.endswith(".value") for field in resource.secrets)
    assert TEXT in "".join(str(request.object) for _, request in recorder.requests)  # it is what the cluster gets


def test_helm_values_are_secret_where_they_are_encrypted_and_plain_elsewhere(tmp_path: Path) -> None:
    recorder = handed_over(tmp_path, settings(CPU, providers=release(secure())))
    (helm,) = [r for r in recorder.registered if r.kind == "Release"]
    assert helm.inputs["values"]["nested"]["list"] == ["plain", "[secret]"]
    assert set(helm.secrets) == {"values.nested.list[1]"}


def test_an_offline_preview_shows_no_text_and_no_ciphertext(tmp_path: Path) -> None:
    preview = offline(tmp_path, settings(*(with_variable(e, secure()) for e in ENTRIES.values())))
    document = preview_document(preview)
    shown = [json.dumps(document), preview_html(preview, document), preview_markdown(preview)]
    for text in shown:
        assert TEXT[::-1] not in text
    assert "[secret]" in shown[0]
    assert one(preview, "Workspace").inputs["inference"]["template"]["spec"]["containers"][0]["env"] == [
        {"name": "PLAIN", "value": "1"},
        {"name": "DATABASE_PASSWORD", "value": "[secret]"},
    ]


def test_another_text_is_a_change_and_the_same_one_is_none(tmp_path: Path) -> None:
    documents = [
        preview_document(offline(tmp_path, settings(with_variable(CPU, secure(text)), providers=release(secure("h")))))
        for text in ("one", "two", "two")
    ]
    (change,) = compare(documents[0], documents[1]).resources
    assert (change.kind, [f.secret for f in change.fields]) == ("Workspace", [True])
    assert not compare(documents[1], documents[2])


def test_a_rule_sees_that_there_is_a_variable_and_not_its_text(tmp_path: Path) -> None:
    rule = {"condition": "spec.env.exists(e, e.value == 'correct-horse-battery')", "priority": 99}
    content = settings(with_variable(GPU, secure()), providers={"kuberay": {"spec": {"selectionRules": [rule]}}})
    recorder = handed_over(tmp_path, content)
    assert [r.kind for r in recorder.registered if r.name == "gpu"] == ["ModelDeployment", "DynamoGraphDeployment"]


def test_two_variables_with_texts_of_their_own_keep_them(tmp_path: Path) -> None:
    entry = CPU | {"env": [{"name": name, "value": secure(name.lower())} for name in ("FIRST", "SECOND")]}
    requests = str(handed_over(tmp_path, settings(entry)).requests)
    assert requests.count('"first"') == requests.count('"second"') == 1


@pytest.mark.parametrize("name", ["HF_TOKEN", "API_KEY", "PLAIN_NAME"])
def test_an_encrypted_value_may_have_any_name(name: str, tmp_path: Path) -> None:
    assert of(offline(tmp_path, settings(with_variable(GPU, secure(), name))), "DynamoGraphDeployment")


def test_files_for_gitops_are_refused_with_the_field_that_they_can_t_hold(tmp_path: Path) -> None:
    preview = offline(tmp_path, settings(with_variable(CPU, secure())))
    with pytest.raises(InputError, match=r"cpu: its Workspace has an encrypted value \(inference\..*\.value\)"):
        manifest_files(preview)
    manifest_files(offline(tmp_path, settings(CPU, providers=release(secure()))))  # names releases only


@pytest.mark.parametrize(
    "file",
    [
        settings(CPU),
        settings(with_variable(CPU, "in clear text")),
        settings(with_variable(CPU, secure()), with_variable(GPU, secure())),
        settings(with_variable(CPU | {"name": "other"}, secure())),
    ],
)
def test_settings_that_the_stack_s_file_does_not_hold_are_refused_if_encrypted(file: Any, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="only the stack's own file tells which") as refused:
        handed_over(tmp_path, settings(with_variable(CPU, secure())), file)
    assert TEXT not in str(refused.value)


def test_without_a_file_of_the_stack_encrypted_values_are_refused(tmp_path: Path) -> None:
    content = settings(with_variable(CPU, secure()))
    texts = {f"airunway:{key}": config_text(decrypted(value)) for key, value in content.items()}
    copy_program(tmp_path)
    with contextlib.chdir(tmp_path), pytest.raises(InputError, match="deployments: has encrypted values"):
        run_function(plan_from_config, StackConfig("airunway", "own", texts, ("airunway:deployments",)))


@pytest.mark.parametrize(
    ("content", "fields"),
    [
        (settings(CPU | {"model": {"id": secure()}}), ["deployments[0].model.id"]),
        (settings(CPU | {"labels": {"a": secure()}}), ["deployments[0].labels.a"]),
        (settings(CPU, GPU | {"engine": {"args": {"x": secure()}}}), ["deployments[1].engine.args.x"]),
        (settings(GPU | {"engine": {"extraArgs": ["--a", secure()]}}), ["deployments[0].engine.extraArgs[1]"]),
        (settings(CPU, cluster={"context": secure()}), ["cluster.context"]),
        (settings(CPU, namespace=secure()), ["namespace"]),
        (settings(CPU | {"env": secure()}), ["deployments[0].env"]),
        (settings(secure()), ["deployments[0]"]),
        (
            settings(CPU, providers={"kaito": {"spec": {"images": {"premade": secure()}}}}),
            ["providers.kaito.spec.images.premade"],
        ),
    ],
)
def test_what_can_t_be_kept_secret_is_refused_with_its_path(content: Any, fields: list[str], tmp_path: Path) -> None:
    for run in (offline, handed_over):
        with pytest.raises(InputError) as refused:
            run(tmp_path, content)
        assert [problem.field for problem in refused.value.problems] == fields
        assert all("is encrypted, and" in problem.message for problem in refused.value.problems)
        assert TEXT not in str(refused.value)

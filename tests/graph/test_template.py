"""Graph (planned in process): what `pulumi new` makes of template/. That the CLI makes it so is seen on the real one,
in the cluster tier.
"""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from airunway.program.new_project import FirstModel, new_files, new_stack_text
from airunway.program.stack_plan import stack_plan
from components.plugin import plugin
from tests.command import ROOT, airunway

TEMPLATE = ROOT / "template"
MADE_BY_PULUMI = {
    "pulumi:tags": {"value": {"pulumi:template": "template"}},
}
"""What Pulumi 3.259.0 adds to Pulumi.yaml as `config`."""


def template() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((TEMPLATE / "Pulumi.yaml").read_text())
    return content


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """The project as Pulumi 3.259.0 leaves it, with the answers that it offers."""
    root = tmp_path / "made"
    shutil.copytree(TEMPLATE, root)
    project = template()
    answers = {key: value["default"] for key, value in project.pop("template")["config"].items()}
    project |= {"name": "mine", "description": "of mine", "config": MADE_BY_PULUMI}
    (root / "Pulumi.yaml").write_text(yaml.safe_dump(project))
    file = root / "stacks" / "Pulumi.dev.yaml"
    stack = yaml.safe_load(file.read_text())
    stack["config"] |= answers
    file.write_text(yaml.safe_dump(stack | {"encryptionsalt": "v1:a:v1:b:c"}))
    return root


def test_a_project_of_the_template_previews(made: Path) -> None:
    (planned,) = stack_plan(made, "dev").deployments
    assert (planned.name, planned.request.selection.provider) == ("llama3-2-1b", "kaito")
    done = airunway(made, "preview", "dev")
    assert (done.returncode, done.stderr) == (0, "")


def test_its_cluster_is_the_one_that_was_answered(made: Path) -> None:
    file = made / "stacks" / "Pulumi.dev.yaml"
    stack = yaml.safe_load(file.read_text())
    stack["config"]["airunway:cluster"] = json.dumps({"context": "prod"})
    file.write_text(yaml.safe_dump(stack))
    assert stack_plan(made, "dev").settings.cluster.context == "prod"


@pytest.mark.parametrize("answer", ["kind-airunway", "", "{context: x}", '{"contxt": "x"}'])
def test_an_answer_that_names_no_cluster_is_refused_with_what_it_may_be(answer: str, made: Path) -> None:
    file = made / "stacks" / "Pulumi.dev.yaml"
    stack = yaml.safe_load(file.read_text())
    stack["config"]["airunway:cluster"] = answer
    file.write_text(yaml.safe_dump(stack))
    done = airunway(made, "preview", "dev")
    assert done.returncode == 1
    assert "cluster" in done.stderr
    assert "context" in done.stderr


def test_it_has_the_files_that_init_writes(tmp_path: Path) -> None:
    text = new_stack_text({"context": "x"}, "models", FirstModel("llama3.2:1b"), has_operators=False)
    written = {str(path.relative_to(tmp_path)): text for path, text in new_files(tmp_path, "dev", text, {}).items()}
    ours = {str(p.relative_to(TEMPLATE)): p.read_text() for p in TEMPLATE.rglob("*") if p.is_file()}
    for name in ("__main__.py", ".gitignore"):
        assert ours[name] == written[name]
    project = template()
    del project["template"]
    assert project == yaml.safe_load(written["Pulumi.yaml"]) | {"name": "${PROJECT}", "description": "${DESCRIPTION}"}
    stack = yaml.safe_load(written["stacks/Pulumi.dev.yaml"])
    del stack["config"]["airunway:cluster"]
    assert yaml.safe_load(ours["stacks/Pulumi.dev.yaml"]) == stack
    assert set(ours) == set(written) - {"stacks/stack.schema.json"}


def test_it_asks_for_this_release() -> None:
    assert (TEMPLATE / "requirements.txt").read_text() == f"airunway=={plugin().version}\n"

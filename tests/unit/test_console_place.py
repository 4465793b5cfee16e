"""Unit (in this process): while a form is filled in, the console says which nodes take the deployment, and what it
costs.
"""

from pathlib import Path
from typing import Any

import pytest

from airunway.console.app import Console
from airunway.console.project import Project
from tests.graph.assessed_changes import assessed
from tests.graph.changes import write
from tests.graph.locked_changes import LARGE, lock, write_lock
from tests.graph.projects import copy_program
from tests.unit.console_pages import HOST, Browser

NEW = {"name": "new", "model.id": "org/m", "resources.gpu.count": "1"}


def checked(root: Path, form: dict[str, str], config: dict[str, Any] | None = None) -> str:
    write(copy_program(root), "own", config or assessed())
    browser = Browser(Console(Project(root), "own").app([HOST]))
    return " ".join(browser.post("/stacks/own/check", form).text.split())


def test_a_deployment_is_told_its_nodes_and_its_cost(tmp_path: Path) -> None:
    assert '<p class="place">1 × NVIDIA-L4 in l4, $548 a month</p>' in checked(tmp_path, NEW)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"resources.gpu.count": "16"}, "Stopped: no node pool takes its pods with 16 GPUs each"),
        ({"resources.gpu.count": "4"}, "h100 has the taint dedicated=models:NoSchedule, which is not tolerated"),
        (
            {"scaling.replicas": "4"},
            "1 of its 4 pods with 1 GPU each find no free node: l4 has 4 GPUs (0 free, 1 for small)",
        ),
    ],
)
def test_a_deployment_without_a_place_is_told_why(fields: dict[str, str], reason: str, tmp_path: Path) -> None:
    assert reason in checked(tmp_path, NEW | fields)


def test_a_deployment_that_is_edited_does_not_count_twice(tmp_path: Path) -> None:
    form = NEW | {"name": "small", "replacing": "small", "scaling.replicas": "4"}
    assert "4 × NVIDIA-L4 in l4, $2,190 a month" in checked(tmp_path, form)


def test_a_deployment_without_gpus_or_pools_is_told_nothing(tmp_path: Path) -> None:
    without = {key: value for key, value in assessed().items() if key != "airunway:nodePools"}
    assert "a month" not in checked(tmp_path, NEW, without)
    assert 'class="place"' not in checked(tmp_path, {"name": "new", "model.id": "org/m"})


def test_what_is_wrong_elsewhere_in_the_stack_is_no_matter_of_the_form(tmp_path: Path) -> None:
    broken = assessed()
    broken["airunway:deployments"].append({"name": "broken"})
    page = checked(tmp_path, NEW, broken)
    assert "dynamo" in page
    assert "a month" not in page


def test_a_stack_without_pools_and_policies_is_not_planned_at_each_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Project, "plan", lambda *_: pytest.fail("the stack is planned"))
    without = {
        key: value for key, value in assessed().items() if key not in ("airunway:nodePools", "airunway:policies")
    }
    assert "dynamo" in checked(tmp_path, NEW, without)


def test_a_locked_model_is_told_what_it_takes_and_what_does_not_fit(tmp_path: Path) -> None:
    write_lock(copy_program(tmp_path), lock())
    form = {"name": "new", "model.id": LARGE, "resources.gpu.count": "2", "engine.contextLength": "8192"}
    form |= {"tolerations": "- {key: dedicated, operator: Exists}"}
    page = checked(tmp_path, form)
    assert "each VllmWorker: weights 131.4 GiB and cache of 8,192 tokens 2.5 GiB of 147.2 GiB" in page
    assert "Stopped" not in page
    assert "Stopped: its weights (131.4 GiB) do not fit the 1 × NVIDIA-H100" in checked(
        tmp_path, form | {"resources.gpu.count": "1"}
    )

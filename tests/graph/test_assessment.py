"""Graph (recorder and command line): what a stack with node pools is told before anything is deployed."""

import json
from pathlib import Path
from typing import Any

import pulumi
import pytest

from airunway.program.record import Preview, record, run_function
from airunway.program.stack_config import plan_from_config
from airunway.program.stack_file import read_stack
from airunway.report.explain import explanation_document
from airunway.report.markdown import preview_markdown
from airunway.report.preview_document import preview_document
from components.model_serving import serve
from tests.command import run
from tests.graph.assessed_changes import (
    ASSESSED_CHANGES,
    assessed,
    no_free_gpus,
    no_node_is_large_enough,
    no_toleration,
    over_budget,
)
from tests.graph.changes import write
from tests.graph.locked_changes import lock, write_lock
from tests.graph.projects import ROOT, copy_program

STOPPED = [no_node_is_large_enough, no_toleration, no_free_gpus, over_budget]


def project(root: Path, config: dict[str, Any], **others: dict[str, Any]) -> Path:
    copy_program(root)
    for stack, content in {"prod": config, **others}.items():
        write(root, stack, content)
    return root


def preview(root: Path, stack: str = "prod") -> Preview:
    return record(root, read_stack(root, stack))


@pytest.mark.parametrize("change", STOPPED)
@pytest.mark.parametrize("format", ["text", "json", "markdown", "mermaid", "html"])
def test_a_preview_that_stops_an_update_is_shown_and_exits_with_1(
    change: Any, format: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    change(config := assessed())
    root = project(tmp_path, config)
    assert run(monkeypatch, "preview", "--stack", "prod", "--format", format, "--cwd", str(root)) == 1
    output = capsys.readouterr()
    assert "large" in output.out
    assert output.err == ""


def test_a_preview_without_findings_exits_with_0(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = project(tmp_path, assessed())
    assert run(monkeypatch, "preview", "--stack", "prod", "--cwd", str(root)) == 0
    lines = capsys.readouterr().out.splitlines()
    table = next(index for index, line in enumerate(lines) if "NODE POOL" in line)
    assert lines[table + 1].split() == ["large", "4", "×", "NVIDIA-H100-80GB-HBM3", "h100", "$29,200"]
    assert "cost of the stack: $29,748 a month" in lines
    assert "h100: 4 of 16 × NVIDIA-H100-80GB-HBM3 asked for" in lines


@pytest.mark.parametrize("change", STOPPED)
def test_a_change_that_stops_an_update_makes_the_diff_fail_with_one_line(
    change: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = project(tmp_path, assessed())
    saved = tmp_path / "before.json"
    saved.write_text(json.dumps(preview_document(preview(root))))
    change(config := assessed())
    write(root, "prod", config)
    arguments = ("diff", "--stack", "prod", "--against", str(saved), "--cwd", str(root))
    assert run(monkeypatch, *arguments, columns=400) == 1
    lines = capsys.readouterr().out.splitlines()
    assert len([line for line in lines if line.startswith("  stopped: ")]) == 1


def test_a_revision_that_would_not_be_updated_is_still_compared_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    no_toleration(config := assessed())
    root = project(tmp_path, config)
    saved = tmp_path / "before.json"
    saved.write_text(json.dumps(preview_document(preview(root))))
    write(root, "prod", assessed())
    assert run(monkeypatch, "diff", "--stack", "prod", "--against", str(saved), "--cwd", str(root)) == 0
    assert "stopped" not in capsys.readouterr().out


@pytest.mark.parametrize("change", STOPPED)
def test_the_engine_s_program_is_stopped_before_it_creates_anything(change: Any, tmp_path: Path) -> None:
    change(config := assessed())
    root = project(tmp_path, config)

    def program() -> None:
        plan, secrets = plan_from_config()
        serve(plan, secrets)

    with pytest.raises(pulumi.RunError, match=r"no node pool takes|find no free node|at most \$60,000"):
        run_function(program, read_stack(root, "prod"))


def test_manifests_of_a_stack_that_would_not_be_updated_are_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    no_toleration(config := assessed())
    root = project(tmp_path, config)
    folder = tmp_path / "manifests"
    assert run(monkeypatch, "render", "--stack", "prod", "--output", str(folder), "--cwd", str(root)) == 1
    assert "no node pool takes" in capsys.readouterr().err
    assert not folder.exists()


def test_stacks_of_one_cluster_share_its_pools(tmp_path: Path) -> None:
    other = assessed() | {"airunway:nodePools": []}
    document = preview_document(preview(project(tmp_path, assessed(), dev=other)))
    pools = {pool["name"]: (pool["asked"], pool["askedByOthers"]) for pool in document["assessment"]["pools"]}
    assert pools == {"h100": (4, 4), "l4": (1, 1)}
    assert document["assessment"]["findings"] == []


def test_a_stack_of_another_cluster_takes_none_of_its_gpus(tmp_path: Path) -> None:
    other = assessed() | {"airunway:cluster": {"context": "elsewhere"}}
    document = preview_document(preview(project(tmp_path, assessed(), dev=other)))
    assert {pool["askedByOthers"] for pool in document["assessment"]["pools"]} == {0}


def test_a_stack_of_the_cluster_that_can_t_be_planned_is_told(tmp_path: Path) -> None:
    other = assessed() | {"airunway:deployments": [{"name": "x"}]}
    document = preview_document(preview(project(tmp_path, assessed(), dev=other)))
    (finding,) = document["assessment"]["findings"]
    assert (finding["severity"], finding["deployment"]) == ("advisory", "")
    assert finding["message"].startswith("stack dev can't be planned")


def test_a_stack_without_pools_says_what_it_said_before(tmp_path: Path) -> None:
    config = assessed()
    del config["airunway:nodePools"]
    without = preview(project(tmp_path, config))
    document = preview_document(without)
    assert "assessment" not in document
    assert not any("assessment" in deployment for deployment in document["deployments"])
    assert "a month" not in preview_markdown(without)


@pytest.mark.parametrize("name", ["h100", "l4"])
def test_two_pools_of_one_name_are_refused(name: str, tmp_path: Path) -> None:
    config = assessed()
    (tmp_path / "more.yaml").write_text(json.dumps([{"name": name, "nodes": 1}]))
    config["airunway:nodePoolFiles"] = ["more.yaml"]
    with pytest.raises(Exception, match=rf"more\.yaml\[0\]\.name: '{name}' is the name of nodePools\[\d\] too"):
        preview(project(tmp_path, config))


def test_every_assessed_change_is_one_of_the_goldens() -> None:
    golden = Path(__file__).parent / "golden"
    assert {path.stem for path in golden.glob("assessed-*.txt")} == set(ASSESSED_CHANGES)


def test_policies_of_a_file_are_those_of_the_stack_too(tmp_path: Path) -> None:
    config = assessed() | {"airunway:policies": [], "airunway:policyFiles": ["policies.yaml"]}
    (tmp_path / "policies.yaml").write_text((ROOT / "examples" / "policies.yaml").read_text())
    findings = preview_document(preview(project(tmp_path, config)))["assessment"]["findings"]
    assert {(f["severity"], f["deployment"]) for f in findings} == {("advisory", n) for n in ("large", "small", "cpu")}


def test_policies_need_no_node_pools(tmp_path: Path) -> None:
    config = assessed() | {"airunway:nodePools": []}
    policy = {"name": "gpus", "scope": "stack", "expression": "stack.gpus < 5", "message": "too many GPUs"}
    document = preview_document(preview(project(tmp_path, config | {"airunway:policies": [policy]})))
    assert [f["message"] for f in document["assessment"]["findings"]] == ["too many GPUs [policy gpus]"]
    assert "assessment" not in preview_document(preview(project(tmp_path, config)))


def test_an_explanation_says_what_the_deployment_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    no_free_gpus(config := assessed())
    root = project(tmp_path, config)
    write_lock(root, lock())

    def explained(name: str) -> list[str]:
        assert run(monkeypatch, "explain", name, "--stack", "prod", "--cwd", str(root), columns=160) == 0
        _, _, after = capsys.readouterr().out.partition("\nwhat it takes\n")
        return after.splitlines()

    assert explained("large") == [
        "  model meta-llama/Llama-3.3-70B-Instruct at a1a1a1a1a1a1 (141.1 GB)",
        "  GPUs: 4 × NVIDIA-H100-80GB-HBM3",
        "  node pools: h100",
        "  cost: $29,200 a month",
        "  memory of each VllmWorker: weights 131.4 GiB and cache of 131,072 tokens 40.0 GiB of 294.4 GiB; about"
        " 107.2 GiB free, longest context about 131,072 tokens",
    ]
    model, _, pools, cost, memory, finding = explained("small")
    assert memory == "  memory of each VllmWorker: weights 1.4 GiB of 22.1 GiB"
    assert model == "  model Qwen/Qwen3-0.6B at c3c3c3c3c3c3 (1.5 GB)"
    assert (pools, cost) == ("  node pools: l4", "  cost: unknown a month")
    assert finding.startswith("  stopped: 2 of its 6 pods with 1 GPU each find no free node")
    assert explained("cpu") == ["  GPUs: –"]


def test_an_explanation_of_a_stack_that_is_not_assessed_is_as_ever(tmp_path: Path) -> None:
    config = {key: value for key, value in assessed().items() if key not in ("airunway:nodePools", "airunway:policies")}
    (planned, *_) = preview(project(tmp_path, config)).plan.deployments
    document = explanation_document(planned)
    assert list(document) == ["name", "engine", "provider", "reason", "candidates", "spec", "model", "gpus"]

"""Graph (command line; a stand-in of aiconfigurator that writes what the real one wrote): `airunway size`."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from airunway.assessment.sized_entry import sized_entry
from airunway.assessment.sizing import ENGINES, Configuration, SizedWorkers, sizing_data
from airunway.program import aiconfigurator
from airunway.program.stack_plan import stack_plan
from airunway.spec.model import Engine, Mode
from tests.command import run
from tests.graph.aiconfigurators import SAID, stand_in
from tests.graph.projects import copy_program, write_stack

LOAD = ("--ttft", "1000", "--tpot", "30", "--isl", "4000", "--osl", "500", "--request-rate", "5")
STACK = """\
config:
  airunway:cluster: {context: x}
  airunway:nodePools:
    - name: h100
      nodes: 2
      gpu: {product: NVIDIA-H100-80GB-HBM3, count: 8}
  airunway:deployments:
    # What everyone asks.
    - name: chat
      model: {id: meta-llama/Meta-Llama-3.1-70B}
      resources:
        gpu:
          count: 4  # half a node
      env:
        - name: KEY
          value: "1"
    - name: small
      model: {id: org/gguf, gguf: {file: a.gguf}}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = copy_program(tmp_path / "project")
    (root / "stacks/Pulumi.dev.yaml").write_text(STACK)
    return root


class Command:
    """`airunway size` for a project, with a stand-in of aiconfigurator."""

    def __init__(
        self, project: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.project, self.folder, self.monkeypatch, self.capsys = project, folder, monkeypatch, capsys
        self.stack = project / "stacks/Pulumi.dev.yaml"
        self.out = self.error = ""

    def use(self, name: str = "llama-70b-vllm-h100", **options: Any) -> None:
        path = stand_in(self.folder, name, **options)
        self.monkeypatch.setenv(aiconfigurator.VARIABLE, str(path))

    def __call__(self, *arguments: str, load: tuple[str, ...] = LOAD, columns: int = 400) -> int:
        name = () if arguments and not arguments[0].startswith("-") else ("chat",)
        words = ("size", *name, *arguments, *load, "--cwd", str(self.project))
        code = run(self.monkeypatch, *words, columns=columns)
        self.out, self.error = self.capsys.readouterr()
        return code

    @property
    def asked(self) -> Any:
        return json.loads((self.folder / "asked.json").read_text())


@pytest.fixture
def size(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    command = Command(project, tmp_path, monkeypatch, capsys)
    command.use()
    return command


def test_a_proposal_is_shown_and_nothing_is_written(size: Command) -> None:
    assert size() == 0
    lines = [line.split() for line in size.out.splitlines()]
    assert ["mode", "aggregated", "aggregated", "disaggregated"] in lines
    assert "workers 1 × 4 GPUs 2 × 8 GPUs (TP 8)".split() in lines
    assert "decode 2 × 4 GPUs (TP 4)".split() in lines
    assert ["GPUs", "4", "16", "16"] in lines
    assert "Estimates of aiconfigurator 0.12.0: h100_sxm, vllm 0.24.0." in size.out
    assert "-          count: 4  # half a node" in size.out
    assert "Nothing was written; --write writes it." in size.error
    assert size.stack.read_text() == STACK


def test_it_fits_the_width_of_a_terminal(size: Command) -> None:
    assert size(columns=80) == 0
    table = size.out.partition("\n\n")[2].partition("\n\n")[0]
    assert "…" not in table
    assert "requests/s" in table


def test_what_is_written_keeps_comments_and_says_where_it_is_from(size: Command) -> None:
    assert size("--write") == 0
    text = size.stack.read_text()
    note = (
        "    # Sized by aiconfigurator 0.12.0 for h100_sxm, vllm 0.24.0: 5 requests/s, 4000 tokens in, 500 out,"
        " TTFT <= 1000 ms, TPOT <= 30 ms\n"
    )
    assert f"    # What everyone asks.\n{note}    - name: chat\n" in text
    entry = yaml.safe_load(text)["config"]["airunway:deployments"][0]
    assert (entry["resources"], entry["scaling"]) == ({"gpu": {"count": 8}}, {"replicas": 2})
    assert entry["env"] == [{"name": "KEY", "value": "1"}]
    assert "Wrote Pulumi.dev.yaml." in size.error
    assert size("--write", load=(*LOAD[:-1], "6")) == 0
    again = size.stack.read_text()
    assert again == text.replace("5 requests/s", "6 requests/s")


def test_an_entry_of_a_deployment_file_is_changed_there(size: Command) -> None:
    settings = yaml.safe_load(STACK)["config"]
    entries = settings.pop("airunway:deployments")
    (size.project / "models.yaml").write_text("# Ours.\n" + yaml.safe_dump(entries, sort_keys=False))
    before = json.dumps({"config": settings | {"airunway:deploymentFiles": ["models.yaml"]}})
    size.stack.write_text(before)
    assert size("--write") == 0
    assert size.stack.read_text() == before
    text = (size.project / "models.yaml").read_text()
    assert text.startswith("# Ours.\n# Sized by aiconfigurator 0.12.0 for")
    assert yaml.safe_load(text)[0]["resources"] == {"gpu": {"count": 8}}


def test_a_secret_of_the_entry_stays_as_it_is(size: Command) -> None:
    size.stack.write_text(STACK.replace('value: "1"', "value: {secure: AAABAK+xyz=}"))
    assert size("--write") == 0
    text = size.stack.read_text()
    assert "value: {secure: AAABAK+xyz=}" in text
    assert "count: 8" in text


def test_json_says_the_same(size: Command) -> None:
    assert size("--format", "json") == 0
    document = json.loads(size.out)
    assert (document["name"], document["stack"], document["written"]) == ("chat", "dev", False)
    assert document["now"] == {"mode": "aggregated", "gpus": 4}
    assert document["workload"]["requestRate"] == 5
    assert [(c["mode"], c["proposed"], c["gpus"]) for c in document["configurations"]] == [
        ("aggregated", True, 16),
        ("disaggregated", False, 16),
    ]
    assert "+      scaling:" in document["difference"]


def test_a_mode_can_be_asked_for(size: Command) -> None:
    assert size("--mode", "disaggregated", "--write") == 0
    entry = yaml.safe_load(size.stack.read_text())["config"]["airunway:deployments"][0]
    assert entry["serving"] == {"mode": "disaggregated"}
    assert "resources" not in entry
    assert entry["scaling"]["decode"] == {"replicas": 2, "gpu": {"count": 4}}


def test_what_is_asked_is_the_model_and_the_gpus_of_its_pool_and_no_network(size: Command) -> None:
    assert size() == 0
    arguments, environment = size.asked
    assert arguments[:2] == ["cli", "default"]
    assert {"--model-path=meta-llama/Meta-Llama-3.1-70B", "--system=h100_sxm", "--backend=vllm"} <= set(arguments)
    assert {"--isl=4000", "--osl=500", "--target-request-rate=5.0", "--strict-sla"} <= set(arguments)
    assert environment["HTTPS_PROXY"] == environment["https_proxy"] == "http://127.0.0.1:9"
    assert environment["HF_HUB_OFFLINE"] == "1"


def test_no_token_and_no_exception_to_proxies_is_passed_on(size: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    monkeypatch.setenv("NO_PROXY", "*")
    assert size() == 0
    assert {"HF_TOKEN", "NO_PROXY"}.isdisjoint(size.asked[1])


def test_gpus_that_a_node_selector_names_go_first(size: Command) -> None:
    selector = "nodeSelector: {nvidia.com/gpu.product: NVIDIA-H200}"
    size.stack.write_text(STACK.replace("      resources:\n", f"      {selector}\n      resources:\n", 1))
    size()
    assert "--system=h200_sxm" in size.asked[0]


def test_more_gpus_than_the_pool_has_are_stopped_and_not_written(size: Command) -> None:
    text = STACK.replace("nodes: 2", "nodes: 1")
    size.stack.write_text(text)
    assert size("--write") == 1
    assert "stopped: " in size.out
    assert "h100 has 8 GPUs" in size.out
    assert size.stack.read_text() == text


def test_gpus_that_another_deployment_loses_stop_it_too(size: Command) -> None:
    more = "    - name: other\n      model: {id: org/other}\n      resources: {gpu: {count: 4}}\n"
    size.stack.write_text(STACK + more)
    assert size("--write") == 1
    assert "stopped: " in size.out
    assert size.stack.read_text() == STACK + more


def test_a_mode_that_fits_is_better_than_one_with_fewer_gpus(size: Command) -> None:
    size.use("qwen3-8b-vllm-h100")  # two GPUs in each worker, or one
    size.stack.write_text(
        STACK.replace("count: 8}", "count: 1}").replace("nodes: 2", "nodes: 40").replace("count: 4", "count: 1")
    )
    assert size("--format", "json") == 0
    proposed = next(c for c in json.loads(size.out)["configurations"] if c["proposed"])
    assert {worker["gpus"] for worker in proposed["workers"]} == {1}


def test_a_mode_that_the_provider_refuses_is_told_with_its_reason(size: Command) -> None:
    text = STACK.replace("      resources:\n", "      provider: {name: kaito}\n      resources:\n", 1)
    size.stack.write_text(text.replace('      env:\n        - name: KEY\n          value: "1"\n', ""))
    assert size("--system", "h100_sxm") == 1
    assert "error: aggregated: deployments[0].scaling.replicas: provider kaito" in size.error
    assert "error: disaggregated: " in size.error
    assert "kaito runs vllm on GPU (aggregated)" in size.error


def test_sizes_that_an_entry_can_t_express_are_told(size: Command) -> None:
    size.use("qwen3-30b-vllm-h100")
    size()
    assert "disaggregated: prefill and decode have other parallel sizes than TP" in size.out
    assert size("--mode", "disaggregated") == 1
    assert "error: disaggregated: prefill and decode have other parallel sizes" in size.error


def test_a_mode_without_a_configuration_is_told(size: Command) -> None:
    size.use(modes=[Mode.AGGREGATED])
    assert size() == 0
    assert "disaggregated: no configuration meets the targets" in size.out
    assert size("--mode", "disaggregated") == 1
    assert "error: disaggregated: no configuration meets the targets" in size.error


@pytest.mark.parametrize("engine", ENGINES)
def test_every_parallel_size_is_a_flag_that_the_provider_takes(engine: Engine, project: Path) -> None:
    workers = SizedWorkers("", 2, tp=2, pp=2, dp=2, ep=4, moe_tp=1)
    sizes = Configuration(Mode.AGGREGATED, (workers,), 1, 1, 1, 1, "1")
    entry = {"name": "chat", "model": {"id": "org/moe"}, "engine": {"type": str(engine)}}
    write_stack(project, deployments=[sized_entry(entry, sizes, engine)])
    (planned,) = stack_plan(project, "own").deployments
    assert planned.request.selection.provider == "dynamo"
    assert planned.warnings == []


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("impossible", "error: aiconfigurator: Experiment agg failed: sweep_agg: no parallel configuration met"),
        ("unknown model", "error: model.id: aiconfigurator 0.12.0 does not know meta-llama/Meta-Llama-3.1-70B, and"),
        ("no data", "error: aiconfigurator: Backend vllm is not supported for system l4."),
        ("traceback", "error: aiconfigurator: KeyError: 'node'"),
        ("nothing", "error: aiconfigurator: failed and did not say why"),
    ],
)
def test_its_failure_is_told_in_a_line(said: str, message: str, size: Command) -> None:
    size.use("", said=SAID[said], code=1)
    assert size() == 1
    assert message in size.error
    assert "--database-mode" not in size.error


def test_a_folder_stands_for_a_model_that_it_does_not_know(size: Command, tmp_path: Path) -> None:
    assert size("--model-dir", str(tmp_path)) == 0
    assert f"--model-path={tmp_path}" in size.asked[0]
    size.use("", said=SAID["no config"], code=2)
    assert size("--model-dir", str(tmp_path)) == 1
    assert "error: aiconfigurator: argument --model-path/--model: Directory '/work/cfg' does not contain" in size.error
    assert size("--model-dir", str(tmp_path / "nowhere")) == 2


def test_a_run_without_end_is_ended(size: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    data = sizing_data().model_copy(update={"seconds": 2})
    monkeypatch.setattr(aiconfigurator, "sizing_data", lambda: data)
    size.use(more="import time; sys.stdout.flush(); time.sleep(60)")
    assert size() == 1
    assert "error: aiconfigurator: was ended; it may take 2 seconds" in size.error


def test_output_without_end_is_ended(size: Command) -> None:
    size.use(more="while True: print('x' * 10000)")
    assert size() == 1
    assert "more than 4,000,000 bytes" in size.error


def test_a_table_that_does_not_add_up_is_told(size: Command) -> None:
    size.use(more="for f in Path('out').rglob('*.csv'): f.write_text('tp\\n1\\n')")
    assert size() == 1
    assert "error: aggregated: its table has no replicas_needed" in size.error


def test_a_command_may_be_named_from_here(size: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(size.folder)
    monkeypatch.setenv(aiconfigurator.VARIABLE, "./aiconfigurator")
    assert size() == 0


@pytest.mark.parametrize("version", ["aiconfigurator 0.13.0", "aisimulate 1.0"])
def test_another_version_is_refused_with_what_to_install(version: str, size: Command) -> None:
    size.use(version=version)
    assert size() == 1
    assert f"is version {version.split()[1]}, must be 0.12.0; install it beside airunway" in size.error


@pytest.mark.parametrize("said", ["", "hello", "Python 3.11.7"])
def test_a_command_that_does_not_say_its_version_is_refused(said: str, size: Command) -> None:
    size.use(version=said)
    assert size() == 1
    assert f"{size.folder}/aiconfigurator does not say its version; install it beside airunway" in size.error


def test_a_missing_command_is_told_with_what_to_install(size: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(aiconfigurator.VARIABLE, "/nowhere/aiconfigurator")
    assert size() == 1
    assert "AIRUNWAY_AICONFIGURATOR names /nowhere/aiconfigurator, which can't be run" in size.error
    monkeypatch.delenv(aiconfigurator.VARIABLE)
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    assert size() == 1
    assert (
        "error: aiconfigurator: is not installed; install it beside airunway (pip install 'airunway[size]')"
        in size.error
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nobody",), "error: NAME: no deployment 'nobody' in stack dev"),
        (("small",), "error: engine.type: is llamacpp; aiconfigurator knows vllm, sglang, trtllm"),
        (("--system", "h100"), "error: --system: no system 'h100'; did you mean 'h100_sxm'?"),
        (("--stack", "nope"), "error: --stack: no stack 'nope'"),
    ],
)
def test_what_can_t_be_sized_is_told(arguments: tuple[str, ...], message: str, size: Command) -> None:
    assert size(*arguments) == 1
    assert message in size.error


def test_gpus_that_are_not_known_are_asked_for(size: Command) -> None:
    size.stack.write_text(STACK.replace("NVIDIA-H100-80GB-HBM3", "NVIDIA-L4"))
    assert size() == 1
    assert "error: --system: required: it is on NVIDIA-L4; valid: a100_sxm," in size.error
    assert size("--system", "h100_sxm") == 0
    assert "note: sized for h100_sxm, but it would run on NVIDIA-L4;" in size.out


def test_a_deployment_of_a_manifest_is_not_changed(size: Command) -> None:
    document = {
        "apiVersion": "airunway.ai/v1alpha1",
        "kind": "ModelDeployment",
        "metadata": {"name": "chat"},
        "spec": {"model": {"id": "meta-llama/Meta-Llama-3.1-70B"}, "resources": {"gpu": {"count": 4}}},
    }
    (size.project / "chat.yaml").write_text(json.dumps(document))
    settings = yaml.safe_load(STACK)["config"] | {"airunway:deployments": [], "airunway:manifests": ["chat.yaml"]}
    size.stack.write_text(json.dumps({"config": settings}))
    assert size() == 1
    assert "chat: stands in a ModelDeployment file, which is not changed here" in size.error


@pytest.mark.parametrize(
    "load",
    [
        LOAD[:-2],
        (*LOAD, "--concurrency", "2"),
        (*LOAD[:-1], "0"),
        (*LOAD[:-1], "nan"),
        ("--ttft", "0", *LOAD[2:]),
        ("--ttft", "inf", *LOAD[2:]),
        LOAD[2:],
    ],
    ids=" ".join,
)
def test_a_load_that_makes_no_sense_is_wrong_usage(load: tuple[str, ...], size: Command) -> None:
    assert size(load=load) == 2
    assert "see airunway size --help" in size.error

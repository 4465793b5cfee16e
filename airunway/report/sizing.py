"""How a deployment is sized, how it could be, and what that changes: as text and as plain data."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rich.table import Table

from airunway.assessment.finding import Finding
from airunway.assessment.sizing import Configuration, SizedWorkers, Workload
from airunway.provider.workers import Workers, workers_by_role
from airunway.spec.model import Engine, Mode, ModelDeploymentSpec
from airunway.text.merge import non_empty


@dataclass(frozen=True)
class Sizing:
    """What was asked of which version of aiconfigurator, what it found, and the change of the entry that follows.

    ``refused`` says of a mode why it is not proposed; ``file`` is the file of ``difference``, a unified diff.
    """

    name: str
    stack: str
    spec: ModelDeploymentSpec
    engine: Engine
    system: str
    version: str
    workload: Workload
    found: Mapping[Mode, Configuration]
    refused: Mapping[Mode, str]
    proposed: Configuration
    provider: str
    file: str
    difference: str
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()


def provenance(sizing: Sizing) -> str:
    """Who sized the deployment for what, in a line."""
    engine = f"{sizing.engine} {sizing.proposed.engine_version}"
    return f"Sized by aiconfigurator {sizing.version} for {sizing.system}, {engine}: {sizing.workload}"


def sizing_table(sizing: Sizing) -> Table:
    """The deployment as it is beside what is proposed, and what else there is; rates and times are estimates."""
    now, found = workers_by_role(sizing.spec), _in_order(sizing)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for title in ("", "now", "proposed", "otherwise")[: 2 + len(found)]:
        table.add_column(title, no_wrap=True)
    rows = [("mode", _mode(sizing.spec), [str(configuration.mode) for configuration in found])]
    for role, title in _ROLES.items():
        present = _line(now[role].replicas, now[role].gpu.count) if role in now else ""
        cells = ["".join(_workers(w) for w in configuration.workers if w.role == role) for configuration in found]
        rows += [(title, present, cells)] if present or any(cells) else []
    rows += [
        ("GPUs", str(_gpus(now)), [str(configuration.gpus) for configuration in found]),
        ("requests/s", "", [f"{configuration.request_rate:.1f}" for configuration in found]),
        ("tokens/s", "", [f"{configuration.token_rate:,.0f}" for configuration in found]),
        ("TTFT", "", [f"{configuration.ttft:.0f} ms" for configuration in found]),
        ("TPOT", "", [f"{configuration.tpot:.1f} ms" for configuration in found]),
    ]
    for title, present, cells in rows:
        table.add_row(title, present, *cells)
    return table


_ROLES = {"": "workers", "prefill": "prefill", "decode": "decode"}


def _in_order(sizing: Sizing) -> list[Configuration]:
    """What was found, the proposal first."""
    return sorted(sizing.found.values(), key=lambda configuration: configuration is not sizing.proposed)


def _mode(spec: ModelDeploymentSpec) -> str:
    return str(Mode.DISAGGREGATED if spec.disaggregated else Mode.AGGREGATED)


def _gpus(workers: Mapping[str, Workers]) -> int:
    return sum(part.replicas * part.gpu.count for part in workers.values())


def _workers(workers: SizedWorkers) -> str:
    sizes = {"TP": workers.tp, "PP": workers.pp, "DP": workers.dp, "EP": workers.ep}
    named = " ".join(f"{name} {size}" for name, size in sizes.items() if size > 1 or name == "TP")
    return f"{_line(workers.replicas, workers.gpus)} ({named})"


def _line(replicas: int, gpus: int) -> str:
    return f"{replicas} × {gpus} GPU{'s' * (gpus != 1)}"


def sizing_document(sizing: Sizing, *, written: bool) -> dict[str, Any]:
    """The sizing as plain data; rates are per second, times in milliseconds."""
    load = sizing.workload
    return {
        "name": sizing.name,
        "stack": sizing.stack,
        "tool": {"name": "aiconfigurator", "version": sizing.version},
        "system": sizing.system,
        "engine": {"type": str(sizing.engine), "version": sizing.proposed.engine_version},
        "workload": {
            "inputTokens": load.isl,
            "outputTokens": load.osl,
            "ttft": load.ttft,
            "tpot": load.tpot,
            **({"concurrency": load.concurrency} if load.request_rate is None else {"requestRate": load.request_rate}),
        },
        "now": {"mode": _mode(sizing.spec), "gpus": _gpus(workers_by_role(sizing.spec))},
        "configurations": [_configuration(found, sizing.proposed) for found in _in_order(sizing)],
        "refused": {str(mode): reason for mode, reason in sizing.refused.items()},
        "provider": sizing.provider,
        "file": sizing.file,
        "difference": sizing.difference,
        "findings": [{"severity": str(finding.severity), "message": finding.message} for finding in sizing.findings],
        "notes": list(sizing.notes),
        "written": written,
    }


def _configuration(found: Configuration, proposed: Configuration) -> dict[str, Any]:
    return {
        "mode": str(found.mode),
        "proposed": found is proposed,
        "workers": [
            non_empty(role=part.role)
            | {"replicas": part.replicas, "gpus": part.gpus}
            | {"tp": part.tp, "pp": part.pp, "dp": part.dp, "ep": part.ep}
            for part in found.workers
        ],
        "gpus": found.gpus,
        "requestRate": round(found.request_rate, 3),
        "tokenRate": round(found.token_rate, 1),
        "ttft": found.ttft,
        "tpot": found.tpot,
    }

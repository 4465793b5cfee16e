"""Unit (pure): the Helm values of the built-in documents, against the values that upstream's charts know."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from airunway.selection.provider_config import HelmChart
from tests.unit.samples import builtin
from tests.upstream_charts import chart_values

CHARTS = [
    pytest.param(config.name, chart, id=f"{config.name}-{chart.name}")
    for config in builtin()
    for chart in config.spec.installation.helm_charts
]
COMMANDS = {config.name: [step.command or "" for step in config.spec.installation.steps] for config in builtin()}


def unknown(values: Any, known: Any, path: str = "") -> Iterator[str]:
    """Paths of ``values`` that the chart's own values do not have; an empty map takes any key."""
    if not isinstance(values, dict) or known == {}:
        return
    for key, value in values.items():
        location = f"{path}.{key}" if path else str(key)
        if not isinstance(known, dict) or key not in known:
            yield location
        else:
            yield from unknown(value, known[key], location)


def leaves(values: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Paths and values of everything that is no map."""
    if not isinstance(values, dict):
        yield path, values
        return
    for key, value in values.items():
        yield from leaves(value, f"{path}.{key}" if path else str(key))


@pytest.mark.parametrize(("provider", "chart"), CHARTS)
def test_every_value_is_one_that_the_chart_knows(provider: str, chart: HelmChart) -> None:
    """By the values of that release, or of the nearest older one at hand: Dynamo's 1.6.1 meets those of 1.5.0."""
    assert list(unknown(chart.values, chart_values(chart.name, str(chart.version)))) == []


@pytest.mark.parametrize(
    ("version", "expected"), [("1.6.1", "1.5.0"), ("1.5.0", "1.5.0"), ("1.10.0", "1.9.0"), ("1.4.9", None)]
)
def test_where_a_release_s_values_are_not_there_those_of_the_nearest_older_one_count(
    version: str, expected: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for there in ("1.5.0", "1.5.0.operator", "1.9.0"):
        (tmp_path / f"chart-{there}.values.yaml").write_text(f"version: {there}\n")
    (tmp_path / "chart-other-1.6.0.values.yaml").write_text("version: other\n")
    monkeypatch.setenv("AIRUNWAY_CHARTS", str(tmp_path))
    if expected is None:
        with pytest.raises(pytest.skip.Exception):
            chart_values("chart", version)
    else:
        assert chart_values("chart", version) == {"version": expected}


@pytest.mark.parametrize(("provider", "chart"), CHARTS)
def test_the_command_for_a_person_sets_the_same_values(provider: str, chart: HelmChart) -> None:
    (command,) = (c for c in COMMANDS[provider] if f" {chart.name} " in c)
    assert f"--version {chart.version} " in command
    output = dict(word.split("=", 1) for word in re.findall(r"--set (\S+)", command))
    assert output == {
        path: str(value).lower() if isinstance(value, bool) else str(value) for path, value in leaves(chart.values)
    }


def test_the_check_finds_a_key_that_no_chart_reads() -> None:
    known = {"nfd": {"enabled": True, "master": {}}, "labels": {}}
    values = {"nfd": {"enabled": False, "worker": {"deploy": False}, "master": {"any": 1}}, "labels": {"a": {"b": "c"}}}
    assert list(unknown(values, known)) == ["nfd.worker"]


def test_kaito_leaves_nodes_and_their_features_to_the_cluster() -> None:
    """0.12.0 takes ``--node-provisioner`` over the gate, which is left for the chart's own conditions."""
    (values,) = (
        c.values for config in builtin() if config.name == "kaito" for c in config.spec.installation.helm_charts
    )
    assert values["nodeProvisioner"] == "byo"
    assert values["featureGates"] == {"disableNodeAutoProvisioning": True}
    assert values["gpu-feature-discovery"] == {"gfd": {"enabled": False}, "nfd": {"enabled": False}}

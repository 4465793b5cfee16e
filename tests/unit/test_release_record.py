"""Unit (pure): Helm's record of a release, and whether it says what a stack would install."""

import base64
import contextlib
import gzip
import json
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airunway.live.release_record import differences, release_record
from airunway.provider.live_object import UnreadableError

VALUES = {"featureGates": {"disableNodeAutoProvisioning": True}, "replicas": 1}
# Shape and names as Helm 3.19 writes them.
RELEASE = {
    "name": "kaito-workspace",
    "info": {"status": "pending-install", "description": "Initial install underway"},
    "chart": {"metadata": {"name": "workspace", "version": "0.10.0", "apiVersion": "v2"}},
    "config": VALUES,
    "version": 1,
    "namespace": "kaito-workspace",
}
INPUTS = {
    "chart": "workspace",
    "version": "0.10.0",
    "name": "kaito-workspace",
    "namespace": "kaito-workspace",
    "values": VALUES,
}


def secret(release: Any) -> dict[str, Any]:
    text = base64.b64encode(base64.b64encode(gzip.compress(json.dumps(release).encode()))).decode()
    return {"metadata": {"name": "sh.helm.release.v1.kaito-workspace.v1"}, "data": {"release": text}}


def test_a_record_says_revision_status_chart_and_values() -> None:
    record = release_record(secret(RELEASE))
    assert (record.revision, record.status, record.chart, record.version) == (
        1,
        "pending-install",
        "workspace",
        "0.10.0",
    )
    assert record.values == VALUES
    assert release_record(secret(RELEASE | {"config": None})).values == {}


@pytest.mark.parametrize(
    "broken",
    [
        {"metadata": {"name": "x"}, "data": {}},
        {"metadata": {"name": "x"}, "data": {"release": "bm90IGd6aXA="}},
        {"metadata": {"name": "x"}, "data": {"release": "%%%"}},
        {"metadata": {"name": "x"}},
        secret([]),
        secret({"info": {}}),
        secret(RELEASE | {"version": "one"}),
        secret(RELEASE | {"chart": None}),
    ],
)
def test_what_is_no_record_is_refused(broken: dict[str, Any]) -> None:
    with pytest.raises(UnreadableError, match="not a Helm release record"):
        release_record(broken)


@pytest.mark.parametrize(
    "inputs",
    [
        {},
        {"chart": "oci://registry.internal/charts/workspace"},
        {"chart": "/charts/any"},
        {"chart": "./any.tgz"},
        {"version": None},
        {"values": {"replicas": 1.0, "featureGates": {"disableNodeAutoProvisioning": True}}},
    ],
)
def test_the_same_chart_version_and_values_are_no_departure(inputs: dict[str, Any]) -> None:
    assert differences(release_record(secret(RELEASE)), INPUTS | inputs) == []


@pytest.mark.parametrize(
    ("inputs", "output"),
    [
        ({"chart": "other"}, "chart workspace, not other"),
        ({"version": "0.12.0"}, "version 0.10.0, not 0.12.0"),
        ({"values": {}}, "different values"),
        ({"values": VALUES | {"replicas": 2}}, "different values"),
    ],
)
def test_what_differs_is_named(inputs: dict[str, Any], output: str) -> None:
    assert differences(release_record(secret(RELEASE)), INPUTS | inputs) == [output]


DATA = gzip.compress(json.dumps(RELEASE).encode(), mtime=0)


def of_bytes(data: bytes) -> dict[str, Any]:
    return {"metadata": {"name": "x"}, "data": {"release": base64.b64encode(base64.b64encode(data)).decode()}}


@pytest.mark.parametrize(
    "text",
    [
        '{"version": 1e999, "chart": {"metadata": {"name": "a", "version": "1"}}, "info": {"status": "x"}}',
        "[" * 100_000,
        "\xff",
        "NaN",
        "",
    ],
    ids=["a number without end", "nested", "latin-1", "nan", "empty"],
)
def test_json_that_is_no_release_is_refused(text: str) -> None:
    with pytest.raises(UnreadableError, match="not a Helm release record"):
        release_record(of_bytes(gzip.compress(text.encode("latin-1"))))


def test_a_record_that_grows_without_end_is_refused_with_the_limit() -> None:
    packer = zlib.compressobj(1, wbits=31)
    data = b"".join(packer.compress(b" " * (1 << 20)) for _ in range(64)) + packer.flush()
    with pytest.raises(UnreadableError, match=r"data.release: has more than 33,554,432 bytes, the most that is read"):
        release_record(of_bytes(data))


@pytest.mark.parametrize(
    ("data", "output"), [(b"x" * 20, "is not gzip"), (DATA[:-3], "is cut off"), (b"", "is cut off")]
)
def test_a_record_that_is_not_packed_as_helm_does_is_refused(data: bytes, output: str) -> None:
    with pytest.raises(UnreadableError, match=f"data.release: {output}, must be gzipped JSON in double base64"):
        release_record(of_bytes(data))


@given(st.integers(0, len(DATA) - 1), st.integers(0, 255))
def test_data_that_is_damaged_is_refused_or_read_and_never_anything_else(location: int, byte: int) -> None:
    damaged = DATA[:location] + bytes([byte]) + DATA[location + 1 :]
    for data in (damaged, DATA[:location]):
        with contextlib.suppress(UnreadableError):
            assert release_record(of_bytes(data)).chart
    assert release_record(of_bytes(DATA)).chart == "workspace"

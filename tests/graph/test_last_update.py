"""Graph (a stand-in for the engine's answer, which copies what pulumi 3.259 gave): reading the stack's own state."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pulumi
import pytest

from components.last_update import LastUpdate, last_update

# What the engine said while it wrote its state to a backend of files.
BEING_WRITTEN = "invoke of pulumi:pulumi:readStackResourceOutputs failed: failed to load checkpoint: EOF"
STATE = {
    "urn:pulumi:dev::airunway::kubernetes:core/v1:Namespace::kube-system": {
        "type": "kubernetes:core/v1:Namespace",
        "outputs": {"metadata": {"name": "kube-system", "uid": "1111"}},
    },
    "urn:pulumi:dev::airunway::pulumi:providers:kubernetes::cluster": {
        "type": "pulumi:providers:kubernetes",
        "outputs": {"context": "kind", "clusterIdentifier": "dev"},
    },
}


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], list[str]]:
    """An engine that can't read the state the first times; what it was asked for is the result."""

    def answering(failures: int) -> list[str]:
        asked: list[str] = []

        def invoke(token: str, arguments: dict[str, Any]) -> Any:
            asked.append(arguments["stackName"])
            if len(asked) <= failures:
                raise Exception(BEING_WRITTEN)
            return SimpleNamespace(value={"outputs": STATE})

        monkeypatch.setattr("pulumi.runtime.invoke", invoke)
        for name, value in (("get_organization", "organization"), ("get_project", "airunway"), ("get_stack", "dev")):
            monkeypatch.setattr(pulumi, name, lambda value=value: value)
        monkeypatch.setattr("time.sleep", lambda seconds: None)
        return asked

    return answering


def test_the_state_says_which_cluster_the_stack_was_deployed_to_and_by_which_provider(
    engine: Callable[[int], list[str]],
) -> None:
    asked = engine(0)
    last = last_update()
    assert asked == ["organization/airunway/dev"]
    assert (last.cluster_uid, last.provider) == ("1111", {"context": "kind", "clusterIdentifier": "dev"})


@pytest.mark.parametrize("failures", [1, 3])
def test_a_state_that_is_being_written_is_read_again(engine: Callable[[int], list[str]], failures: int) -> None:
    asked = engine(failures)
    assert last_update().cluster_uid == "1111"
    assert len(asked) == failures + 1


def test_a_state_that_can_not_be_read_ends_the_program_instead_of_counting_as_empty(
    engine: Callable[[int], list[str]],
) -> None:
    engine(1_000)
    with pytest.raises(pulumi.RunError, match=r"state of stack organization/airunway/dev can't be read: .* EOF"):
        last_update()


def test_a_stack_that_was_never_updated_knows_no_cluster() -> None:
    assert (LastUpdate({}).cluster_uid, LastUpdate({}).provider) == (None, {})

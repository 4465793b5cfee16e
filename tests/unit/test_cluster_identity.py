"""Unit (pure): whether a stack still deploys to the cluster that it was last deployed to."""

from typing import Any

import pytest

from airunway.planning.cluster_identity import cluster_identifier
from airunway.planning.settings import Cluster
from airunway.text.problems import InputError

HERE, ELSEWHERE = "uid-of-here", "uid-of-elsewhere"
LAST = {"context": "kind", "kubeconfig": None, "clusterIdentifier": "dev"}


def identifier(settings: dict[str, Any], last_uid: str | None, uid: str | None, last: Any = LAST) -> str:
    return cluster_identifier(Cluster.model_validate(settings), "dev", last_uid=last_uid, last_provider=last, uid=uid)


@pytest.mark.parametrize(
    "settings",
    [
        {"context": "kind"},
        {"context": "renamed"},
        {"kubeconfig": "/elsewhere/config"},
        {"context": "kind", "uid": HERE},
    ],
    ids=["same", "context", "kubeconfig", "pinned"],
)
def test_another_way_to_the_same_cluster_keeps_the_identifier(settings: dict[str, Any]) -> None:
    assert identifier(settings, HERE, HERE) == "dev"


@pytest.mark.parametrize(("last_uid", "uid"), [(None, HERE), (HERE, None), (None, None)])
def test_what_is_not_known_changes_nothing(last_uid: str | None, uid: str | None) -> None:
    assert identifier({"context": "other"}, last_uid, uid) == "dev"


def test_the_identifier_that_the_state_has_is_kept_after_a_move() -> None:
    moved = LAST | {"context": "new", "clusterIdentifier": ELSEWHERE}
    assert identifier({"context": "new", "uid": ELSEWHERE}, ELSEWHERE, ELSEWHERE, moved) == ELSEWHERE
    assert identifier({"context": "new"}, ELSEWHERE, ELSEWHERE, moved) == ELSEWHERE


def test_a_stack_without_a_provider_in_its_state_is_identified_by_its_name() -> None:
    assert identifier({"context": "kind"}, None, HERE, {}) == "dev"


def test_another_cluster_is_refused_with_both_ways_out() -> None:
    with pytest.raises(InputError) as error:
        identifier({"context": "other"}, HERE, ELSEWHERE)
    (problem,) = error.value.problems
    assert problem.field == "cluster"
    for text in ("context 'other'", HERE, f"cluster.uid: {ELSEWHERE}", "a stack of its own"):
        assert text in problem.message


def test_a_move_is_made_where_the_settings_name_the_new_cluster() -> None:
    assert identifier({"context": "other", "uid": ELSEWHERE}, HERE, ELSEWHERE) == ELSEWHERE


@pytest.mark.parametrize("kubeconfig", [None, ""])
@pytest.mark.parametrize("consent", [{}, {"uid": ELSEWHERE}])
def test_a_cluster_made_anew_behind_the_same_context_is_never_a_move_which_would_delete_what_it_just_made(
    consent: dict[str, str], kubeconfig: str | None
) -> None:
    with pytest.raises(InputError) as error:
        identifier({"context": "kind"} | consent, HERE, ELSEWHERE, LAST | {"kubeconfig": kubeconfig})
    assert "pulumi refresh" in error.value.problems[0].message


def test_a_pinned_cluster_is_the_only_one_deployed_to_even_at_first() -> None:
    with pytest.raises(InputError) as error:
        identifier({"context": "kind", "uid": HERE}, None, ELSEWHERE, {})
    (problem,) = error.value.problems
    assert (problem.field, ELSEWHERE in problem.message) == ("cluster.uid", True)

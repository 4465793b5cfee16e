"""Unit (pure): which images the last update built already, and by which digest they are deployed."""

from typing import Any

import pytest

from airunway.planning.last_build import LastBuild
from tests.unit.image_stacks import EXISTING, planned_image

BUILT = {"status": {"succeeded": 1}}
DIGEST = "sha256:" + "ab" * 32


def component(**registry: Any) -> dict[str, str]:
    """The outputs of the image's component, after an update with these settings of the registry."""
    image = planned_image(**registry)
    return {"reference": f"{image.pull}@{DIGEST}", "digest": DIGEST, "push": image.push}


def test_an_image_that_was_pushed_to_the_same_registry_is_built() -> None:
    last = LastBuild(component(), BUILT)
    assert last.has(planned_image())
    assert last.digest == DIGEST


def test_another_node_port_builds_nothing_again() -> None:
    other = planned_image(registry={"managed": {"nodeCidrs": ["10.0.0.0/16"], "nodePort": 30900}})
    assert LastBuild(component(), BUILT).has(other)


def test_another_registry_has_to_be_pushed_to() -> None:
    existing = planned_image(registry=EXISTING, has_password=True)
    assert not LastBuild(component(), BUILT).has(existing)
    assert not LastBuild(component(registry=EXISTING, has_password=True), BUILT).has(planned_image())


@pytest.mark.parametrize(
    "job", [{}, {"status": None}, {"status": {}}, {"status": {"failed": 1}}, {"status": {"active": 1}}]
)
def test_a_job_that_is_gone_or_has_not_succeeded_built_nothing(job: dict[str, Any]) -> None:
    assert not LastBuild(component(), job).has(planned_image())


def test_what_an_earlier_release_built_is_built_and_has_no_digest() -> None:
    """0.1.0 recorded the reference alone."""
    last = LastBuild({"reference": planned_image().pull}, BUILT)
    assert last.has(planned_image())
    assert last.digest == ""
    assert not last.has(planned_image(registry=EXISTING, has_password=True))


def test_nothing_is_built_before_the_first_update() -> None:
    assert not LastBuild({}, {}).has(planned_image())

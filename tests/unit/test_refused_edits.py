"""Unit (pure): stack files and deployment files that are left to an editor: unreadable, of another shape, without
the deployment, or with a change that would have side effects.
"""

import pytest

from airunway.console.stack_edit import with_deployment, with_provider, without_deployment
from airunway.text.problems import InputError
from tests.unit.edited_files import FILE, NEW, TEXT, entries


def test_a_change_that_would_take_something_else_with_it_is_not_made() -> None:
    text = (
        "config:\n  airunway:deployments:\n    - name: one\n      env:\n        - name: A\n          value: |+\n       "
        "     text\n\n\n"
    )
    assert entries(text)[0]["env"][0]["value"] == "text\n\n\n"
    with pytest.raises(InputError, match=r"config\.airunway:deployments: can't be changed without side effects"):
        with_deployment(text, NEW)
    with pytest.raises(InputError, match=r"config\.airunway:providers: can't be changed"):
        with_provider(text, "kaito", "off")


@pytest.mark.parametrize(
    ("text", "output"),
    [
        ("a: [", "stack file: not YAML"),
        ("config: {a: b: c}", "stack file: not YAML"),
        (
            "a: 2026-13-01",
            r"stack file: can't be edited here, as ruamel.yaml fails on it \(ValueError\); edit the file",
        ),
        ("a: -_", r"stack file: can't be edited here, as ruamel.yaml fails on it \(IndexError\); edit the file itself"),
        ("a: 1\na: 2", "stack file: 'a' appears twice in this map"),
        ("a: 2026-01-01", "stack file: 2026-01-01 is a date to Pulumi"),
        ("config: {}\n---\n", "stack file: must be one YAML document, not 2"),
        ("[" * 5000, "stack file: nested deeper than 100 levels"),
        ("{a: " * 120 + "1" + "}" * 120, "nested deeper than 100 levels"),
    ],
    ids=lambda text: text[:20],
)
def test_what_pulumi_or_the_editor_would_not_read_is_refused_at_once(text: str, output: str) -> None:
    with pytest.raises(InputError, match=output):
        with_deployment(text, NEW)
    with pytest.raises(InputError, match=output):
        without_deployment(text, "one")
    with pytest.raises(InputError, match=output):
        with_provider(text, "kaito", "off")


@pytest.mark.parametrize(
    ("text", "output"),
    [
        ("[]", "stack file: must be a map"),
        ("''", "stack file: must be a map"),
        ("config: 1", "stack file: config: must be a map"),
        ("config: [1]", "stack file: config: must be a map"),
        ("config: {airunway:deployments: 3}", r"stack file: config\.airunway:deployments: must be a list"),
        ("config: {airunway:deployments: {name: one}}", r"stack file: config\.airunway:deployments: must be a list"),
        ("config:\n  airunway:deployments: one\n", r"stack file: config\.airunway:deployments: must be a list"),
    ],
)
def test_a_stack_file_that_holds_something_else_is_not_changed_into_what_it_is_not(text: str, output: str) -> None:
    with pytest.raises(InputError, match=f"^{output}; fix it in an editor"):
        with_deployment(text, NEW)
    with pytest.raises(InputError, match=f"^{output}; fix it in an editor"):
        without_deployment(text, "one")


@pytest.mark.parametrize(
    ("settings", "location"),
    [("3", ""), ("[kaito]", ""), ("kaito", ""), ("{kaito: 3}", ".kaito"), ("{kaito: [off]}", ".kaito")],
)
@pytest.mark.parametrize("style", ["config: {{airunway:providers: {}}}", "config:\n  airunway:providers: {}\n"])
def test_settings_of_providers_that_are_none_are_left_to_an_editor(style: str, settings: str, location: str) -> None:
    with pytest.raises(
        InputError, match=rf"^stack file: config\.airunway:providers{location}: must be a map; fix it in an editor"
    ):
        with_provider(style.format(settings), "kaito", "off")


def test_a_deployment_that_is_not_in_the_file_is_refused() -> None:
    with pytest.raises(InputError, match="no deployment 'gone' in the stack file"):
        with_deployment(TEXT, NEW, "gone")
    with pytest.raises(InputError, match="no deployment 'gone' in the stack file"):
        without_deployment(TEXT, "gone")


def test_a_change_of_a_file_that_would_take_something_else_with_it_is_not_made() -> None:
    text = "- name: one\n  env:\n    - name: A\n      value: |+\n        text\n\n\n"
    with pytest.raises(InputError, match=r"^d\.yaml: can't be changed without side effects; change it in an editor"):
        with_deployment(text, NEW, file="d.yaml")


@pytest.mark.parametrize(
    ("text", "output"),
    [
        ("a: [", "d.yaml: not YAML"),
        ("name: one", "d.yaml: must be a list of deployments"),
        ("# - name: one", "d.yaml: must be a list of deployments"),
    ],
)
def test_a_file_that_is_no_list_is_refused(text: str, output: str) -> None:
    with pytest.raises(InputError, match=output):
        with_deployment(text, NEW, file="d.yaml")
    with pytest.raises(InputError, match=r"no deployment 'gone' in d\.yaml; edit one from a manifest there"):
        without_deployment(FILE, "gone", "d.yaml")

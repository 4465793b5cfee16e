"""The policies of a stack: those of its settings and of the files that they name."""

from collections.abc import Mapping

from airunway.assessment.policy_definition import Policy
from airunway.planning.files import Files
from airunway.planning.list_files import named_elements, read_list_file
from airunway.planning.settings import StackSettings
from airunway.text.problems import InputError, Problem


def policies_in(text: str, file: str) -> list[Policy]:
    """The policies of one file. Raises ``InputError``."""
    return read_list_file(text, file, "policies", Policy)


def policies_of(texts: Mapping[str, str]) -> list[Policy]:
    """The policies of several files, by the files' names. Raises ``InputError``, also if two have the same name."""
    found: list[Policy] = []
    problems: list[Problem] = []
    for file, text in texts.items():
        try:
            found += policies_in(text, file)
        except InputError as error:
            problems += error.problems
    names = [policy.name for policy in found]
    problems += [Problem(name, "is the name of two policies") for name in sorted(set(names)) if names.count(name) > 1]
    if problems:
        raise InputError(problems)
    return found


def policies(settings: StackSettings, files: Files) -> tuple[tuple[Policy, ...], list[Problem]]:
    """All policies, in order, and the problems of their files and names."""
    located, problems = named_elements(
        "policies", settings.policies, "policyFiles", settings.policy_files, files, Policy
    )
    return tuple(policy for _, policy in located), problems

"""The policies of a stack: those of its settings and of the files that they name."""

from airunway.assessment.policy_definition import Policy
from airunway.planning.files import Files
from airunway.planning.list_files import named_elements, read_list_file
from airunway.planning.settings import StackSettings
from airunway.text.problems import Problem


def policies_in(text: str, file: str) -> list[Policy]:
    """The policies of one file. Raises ``InputError``."""
    return read_list_file(text, file, "policies", Policy)


def policies(settings: StackSettings, files: Files) -> tuple[tuple[Policy, ...], list[Problem]]:
    """All policies, in order, and the problems of their files and names."""
    located, problems = named_elements(
        "policies", settings.policies, "policyFiles", settings.policy_files, files, Policy
    )
    return tuple(policy for _, policy in located), problems

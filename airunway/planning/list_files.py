"""Files that hold a list each, whose elements continue a list of the stack's settings."""

from collections.abc import Sequence
from typing import Any, TypeVar

from pydantic import ValidationError

from airunway.assessment.node_pool import NodePool
from airunway.assessment.policy_definition import Policy
from airunway.planning.entries import parse_entries
from airunway.planning.files import Files
from airunway.spec.model import StrictModel
from airunway.text.problems import InputError, Problem, validation_problems

_Element = TypeVar("_Element", NodePool, Policy)
_Model = TypeVar("_Model", bound=StrictModel)


def named_elements(
    setting: str,
    own: Sequence[_Element],
    files_setting: str,
    patterns: Sequence[str],
    files: Files,
    model: type[_Element],
) -> tuple[list[tuple[str, _Element]], list[Problem]]:
    """The elements of a setting and of the files that continue it, each with its location; no name is used twice."""
    elements = [(f"{setting}[{index}]", element) for index, element in enumerate(own)]
    texts, problems = files.select_texts(files_setting, patterns)
    for file, text in texts.items():
        try:
            found, element_problems = located_elements(parse_entries(text, file, setting), file, model)
        except InputError as error:
            found, element_problems = [], list(error.problems)
        elements += found
        problems += element_problems
    first: dict[str, str] = {}
    for location, element in elements:
        name = element.name
        if name in first:
            problems.append(Problem(f"{location}.name", f"'{name}' is the name of {first[name]} too"))
        first.setdefault(name, location)
    return elements, problems


def read_list_file(text: str, file: str, setting: str, model: type[_Element]) -> list[_Element]:
    """The elements of one file that continues ``setting``. Raises ``InputError``."""
    elements, problems = located_elements(parse_entries(text, file, setting), file, model)
    if problems:
        raise InputError(problems)
    return [element for _, element in elements]


def located_elements(
    content: Sequence[Any], file: str, model: type[_Model]
) -> tuple[list[tuple[str, _Model]], list[Problem]]:
    """The elements of a file's list, each with its location, and the problems of those that are none."""
    elements: list[tuple[str, _Model]] = []
    problems: list[Problem] = []
    for index, data in enumerate(content):
        location = f"{file}[{index}]"
        try:
            elements.append((location, model.model_validate(data)))
        except ValidationError as error:
            problems += [problem.under(location) for problem in validation_problems(error, model)]
    return elements, problems

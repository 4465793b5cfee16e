"""The node pools of a stack: those of its settings and of the files that they name."""

from airunway.assessment.node_pool import NodePool
from airunway.planning.files import Files
from airunway.planning.list_files import read_list_file, read_list_files
from airunway.planning.settings import StackSettings
from airunway.text.problems import InputError, Problem


def pools_in(text: str, file: str) -> list[NodePool]:
    """The node pools of one file. Raises ``InputError``."""
    return read_list_file(text, file, "nodePools", NodePool)


def node_pools(settings: StackSettings, files: Files) -> tuple[NodePool, ...]:
    """All node pools, in order. Raises ``InputError``."""
    located = [(f"nodePools[{index}]", pool) for index, pool in enumerate(settings.node_pools)]
    found, problems = read_list_files("nodePools", settings.node_pool_files, files, NodePool)
    located += found
    first: dict[str, str] = {}
    for location, pool in located:
        if pool.name in first:
            problems.append(Problem(f"{location}.name", f"'{pool.name}' is the name of {first[pool.name]} too"))
        first.setdefault(pool.name, location)
    if problems:
        raise InputError(problems)
    return tuple(pool for _, pool in located)

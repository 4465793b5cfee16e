"""The node pools of a stack: those of its settings and of the files that they name."""

from airunway.assessment.node_pool import NodePool
from airunway.planning.files import Files
from airunway.planning.list_files import named_elements, read_list_file
from airunway.planning.settings import StackSettings
from airunway.text.problems import Problem


def pools_in(text: str, file: str) -> list[NodePool]:
    """The node pools of one file. Raises ``InputError``."""
    return read_list_file(text, file, "nodePools", NodePool)


def node_pools(settings: StackSettings, files: Files) -> tuple[tuple[NodePool, ...], list[Problem]]:
    """All node pools, in order, and the problems of their files and names."""
    located, problems = named_elements(
        "nodePools", settings.node_pools, "nodePoolFiles", settings.node_pool_files, files, NodePool
    )
    return tuple(pool for _, pool in located), problems

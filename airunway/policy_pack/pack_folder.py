"""The folder of a policy pack: what `airunway policy pack` writes, and the policies that it holds."""

import json
import re
from collections.abc import Mapping, Sequence
from importlib.metadata import Distribution
from pathlib import Path

from airunway.assessment.policy_definition import Policy
from airunway.planning.policies import policies_of
from airunway.program.new_project import requirement
from airunway.text.bounded_files import UnreadableFileError, read_text_file
from airunway.text.problems import InputError, Problem

OBJECTS_POLICY = "airunway-objects"
SILENT_POLICY = "airunway-deployments"
EXTRA = "policy-pack"
"""The extra of airunway that has Pulumi's policy SDK."""

_RESERVED = ("all", OBJECTS_POLICY, SILENT_POLICY)
_PACK_NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}")
_DEFINITION = """description: What models may be served, and how.
runtime:
  name: python
  options:
    toolchain: pip
    virtualenv: .venv
version: 0.0.1
"""
_PROGRAM = '''"""The Pulumi policy pack: the policies in the files beside it."""

from airunway.policy_pack.pack import serve_policies

serve_policies(__file__, "{name}", {files})
'''


def read_policies(folder: Path, files: Sequence[str]) -> list[Policy]:
    """The policies of a pack's files. Raises ``InputError``."""
    texts: dict[str, str] = {}
    problems: list[Problem] = []
    for file in files:
        try:
            texts[file] = read_text_file(folder / file)
        except UnreadableFileError as error:
            problems.append(Problem(file, str(error)))
    if problems:
        raise InputError(problems)
    return pack_policies_of(texts)


def pack_policies_of(texts: Mapping[str, str]) -> list[Policy]:
    """The policies of files that a pack may hold. Raises ``InputError``."""
    policies = policies_of(texts)
    problems = [
        Problem(policy.name, "can't be the name of a policy in a pack; Pulumi or the pack itself uses it")
        for policy in policies
        if policy.name in _RESERVED
    ]
    if not policies:
        problems = [Problem(", ".join(texts), "no policies given; a pack has at least one")]
    if problems:
        raise InputError(problems)
    return policies


def pack_files(folder: Path, name: str, texts: Mapping[str, str]) -> dict[Path, str]:
    """What to write for a new pack of policy files, by their names in it. Raises ``InputError``."""
    if not _PACK_NAME.fullmatch(name):
        message = f"'{name}' given, must be 1 to 100 letters, digits, '.', '-' and '_'"
        raise InputError([Problem("--name", message)])
    pack_policies_of(texts)
    own = {
        "PulumiPolicy.yaml": _DEFINITION,
        "__main__.py": _PROGRAM.format(name=name, files=json.dumps(list(texts), ensure_ascii=False)),
        "requirements.txt": requirement(Distribution.from_name("airunway"), EXTRA),
        ".gitignore": ".venv\n__pycache__/\n",
    }
    if taken := sorted(own.keys() & texts.keys()):
        raise InputError([Problem(file, "is a file of the pack itself; rename it") for file in taken])
    files = own | dict(texts)
    if existing := [file for file in files if (folder / file).exists()]:
        raise InputError([Problem(str(folder / file), "exists already; name another folder") for file in existing])
    return {folder / file: text for file, text in files.items()}

"""A stack file and a deployment file with comments, entries to write into them, and what a change made of them."""

from typing import Any

from hypothesis import strategies as st

from airunway.console.file_edit import unified_diff
from airunway.planning.entries import parse_entries
from airunway.text.yaml_reading import StackLoader, read_document

NEW = {"name": "new", "model": {"id": "org/x"}, "env": [{"name": "A", "value": "1"}]}
TEXT = """# Head.
config:
  airunway:cluster: {context: kind}   # beside
  airunway:deployments:
    # First.
    - name: one
      model:
        id: 'a/b'   # why

    # Second,
    # in two lines.
    - name: two
      model: {id: c/d}
      engine:
        contextLength: null
  # Below.
  airunway:namespace: "ml"
"""


def entries(text: str) -> list[Any]:
    """As Pulumi reads them."""
    return list(read_document(text, "x", StackLoader)["config"].get("airunway:deployments") or [])


def changed_lines(old: str, new: str) -> tuple[list[str], list[str]]:
    """The lines that went, and those that came."""
    lines = [line for line in unified_diff(old, new, "x").splitlines() if not line.startswith(("---", "+++", "@@"))]
    return tuple([line[1:] for line in lines if line.startswith(sign)] for sign in "-+")  # type: ignore[return-value]


# What an entry may hold, and what YAML might take for something else.
names = st.text("abcdefghij", min_size=1, max_size=4)
values = st.recursive(
    st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.text(max_size=8)
    | st.text(" \n\ta#:-'\"", max_size=6)
    | st.from_regex(r"\A[-+.]?[0-9][0-9_xobXOBeE.:-]{0,9}\Z"),
    lambda v: st.lists(v, max_size=3) | st.dictionaries(names, v, max_size=3),
)
FILE = """# yaml-language-server: $schema=../stacks/deployments.schema.json
- name: one
  model:
    id: 'a/b'   # why

# Second.
- name: two
  model: {id: c/d}
# Below.
"""


def listed(text: str) -> list[Any]:
    """The entries of a deployment file, as they are planned."""
    return parse_entries(text, "d.yaml")

"""A part of a YAML text as it is written: its lines, and the comment right above them."""

from collections.abc import Iterator

import yaml


def excerpt(text: str, node: yaml.Node) -> str:
    """``node`` as it is written in ``text``, without what it is indented by.

    It is its lines and the comment right above them, but for one at the start of the text, which is about all of it. A
    node that shares a line with others is what it consists of.
    """
    start, last = node.start_mark.index, _end(text, node)
    first, end = text.rfind("\n", 0, start) + 1, last + len(text[last:].partition("\n")[0])
    indentation = _indentation(text[first:end])
    rest = "" if isinstance(node, yaml.CollectionNode) and not node.flow_style else text[last:end].strip()
    if text[first:start].strip() not in ("", "-") or (rest and not rest.startswith("#")):
        return _dedented(text[start:last], indentation)
    above = _comment_above(text[:first].split("\n")[:-1], indentation)
    below = _nested_below(text[end + 1 : node.end_mark.index].split("\n"), indentation)
    return _dedented("\n".join([*above, text[first:end], *below]), indentation)


def _end(text: str, node: yaml.Node) -> int:
    """Where the last value of a node ends; that of a block goes on to what follows it, in PyYAML."""
    start, end = node.start_mark.index, node.end_mark.index
    ends = [leaf.end_mark.index for leaf in _leaves(node) if start <= leaf.start_mark.index < end]
    return len(text[: max(ends, default=end)].rstrip())


def _leaves(node: yaml.Node) -> Iterator[yaml.Node]:
    """All scalars and collections in flow style, each once: aliases may lead back to where they are."""
    waiting, seen = [node], set[int]()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.CollectionNode) and not node.flow_style:
            pairs = isinstance(node, yaml.MappingNode)
            waiting += [inner for pair in node.value for inner in pair] if pairs else node.value
        else:
            yield node


def _comment_above(lines: list[str], indentation: int) -> list[str]:
    first = len(lines)
    while first and lines[first - 1].lstrip().startswith("#") and _indentation(lines[first - 1]) <= indentation:
        first -= 1
    return lines[first:] if first else []


def _nested_below(lines: list[str], indentation: int) -> list[str]:
    """What is left of a node below its last value: aliases, and comments that are indented as its values are."""
    nested = [number for number, line in enumerate(lines) if line.strip() and _indentation(line) > indentation]
    return lines[: nested[-1] + 1] if nested else []


def _indentation(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _dedented(text: str, indentation: int) -> str:
    return "\n".join(line[min(indentation, _indentation(line)) :] for line in text.split("\n"))

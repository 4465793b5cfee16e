"""The objects of a rendered chart, as `helm template` prints them."""

from collections.abc import Iterator, Mapping
from typing import Any

from airunway.text.problems import InputError, Problem, format_value
from airunway.text.yaml_reading import read_documents

_ROLE_LISTS = ("verbs", "apiGroups", "resources", "resourceNames", "nonResourceURLs")


def chart_objects(text: str, file: str) -> list[dict[str, Any]]:
    """Return every object in ``text``, including list items. Raises ``InputError`` with all invalid objects."""
    documents = [d for d in read_documents(text, file) if d is not None]
    objects = [(f"{file}[{index}]", obj) for index, document in enumerate(documents) for obj in _unpack_list(document)]
    problems = [problem.under(path) for path, obj in objects for problem in object_problems(obj)]
    if not objects:
        problems = [Problem(file, "contains no objects; must be the output of `helm template`")]
    if problems:
        raise InputError(problems)
    return [obj for _, obj in objects]


def _unpack_list(document: Any) -> list[Any]:
    kind, items = (document.get("kind"), document.get("items")) if isinstance(document, dict) else (None, None)
    return items if isinstance(kind, str) and kind.endswith("List") and isinstance(items, list) else [document]


def object_problems(obj: Any) -> Iterator[Problem]:
    """Yield what is missing in ``obj`` to derive the rights to it."""
    if not isinstance(obj, dict):
        yield Problem("", f"{format_value(obj)} given, must be an object with apiVersion, kind and metadata.name")
        return
    metadata = obj.get("metadata")
    yield from _string_problems(obj, "", ("apiVersion", "kind"))
    if not isinstance(metadata, dict):
        yield Problem("metadata", f"{format_value(metadata)} given, must be a map with a name")
        return
    yield from _string_problems(
        metadata, "metadata.", ("name", *(["namespace"] if metadata.get("namespace") is not None else []))
    )
    if not isinstance(metadata.get("annotations") or {}, dict):
        yield Problem("metadata.annotations", f"{format_value(metadata['annotations'])} given, must be a map")
    if obj.get("kind") in ("Role", "ClusterRole"):
        yield from _rule_problems(obj)
    if obj.get("kind") in ("RoleBinding", "ClusterRoleBinding"):
        role = obj.get("roleRef")
        if (
            not isinstance(role, dict)
            or role.get("kind") not in ("Role", "ClusterRole")
            or not isinstance(role.get("name"), str)
        ):
            yield Problem("roleRef", f"{format_value(role)} given, must have the kind Role or ClusterRole and a name")


def _string_problems(mapping: Mapping[str, Any], prefix: str, keys: tuple[str, ...]) -> Iterator[Problem]:
    for key in keys:
        if not isinstance(mapping.get(key), str) or not mapping[key]:
            yield Problem(prefix + key, f"{format_value(mapping.get(key))} given, must be a string")


def _rule_problems(role: Mapping[str, Any]) -> Iterator[Problem]:
    rules = role.get("rules") or []
    if not isinstance(rules, list):
        yield Problem("rules", f"{format_value(rules)} given, must be a list")
        return
    for index, rule in enumerate(rules):
        invalid_keys = (
            [key for key, value in rule.items() if key not in _ROLE_LISTS or not _is_string_list(value)]
            if isinstance(rule, dict)
            else [""]
        )
        if invalid_keys or not rule.get("verbs"):
            yield Problem(
                f"rules[{index}]",
                f"{format_value(rule)} given, must be lists of strings under {', '.join(_ROLE_LISTS)}",
            )
    if role.get("aggregationRule"):
        yield Problem(
            "aggregationRule",
            "only a cluster administrator may create an aggregated role; install it as one",
        )


def _is_string_list(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(v, str) for v in value)

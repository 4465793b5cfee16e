"""The fields that differ between two objects, also inside the YAML that some of them hold or refer to."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from airunway.provider.embedded_yaml import read_embedded
from airunway.provider.live_object import UnreadableError
from airunway.report.argument_changes import changed_arguments
from airunway.text.merge import json_equal
from airunway.text.problems import join

_YAML_FIELDS = ("spec.serveConfigV2",)
"""Fields whose text is YAML: the Serve configuration of a RayService."""
_CONFIG_FIELDS = ("inference.config",)
"""Fields that name a ConfigMap, whose name changes with its text: the configuration of a KAITO preset."""
_POD_FIELDS = re.compile(
    r"(?:^|\.)(?:podTemplate|template|extraPodSpec|envs|serveConfigV2)\b|^inference\.|^spec\.(?:engine|model|image|env)\b"
)
"""Fields of the objects that serve models which their pods, or the engine in them, take up only when they start."""
_REPLICAS = re.compile(r"replicas$", re.IGNORECASE)


@dataclass(frozen=True)
class FieldChange:
    """A changed field: ``old`` and ``new`` as plain data, None if absent. A secret's values are left out."""

    field: str
    old: Any
    new: Any
    secret: bool = False

    @property
    def restarts(self) -> bool:
        """Whether an engine has to start again to take it up, where the object is one that serves a model."""
        return bool(_POD_FIELDS.search(self.field)) and not _REPLICAS.search(self.field)

    @property
    def setting(self) -> str:
        """The field as its author calls it: a flag by its name, others without what is around a container."""
        flag = re.search(r"\[(-[^\[\]]+)\]$", self.field)
        if flag:
            return flag[1]
        return re.split(r"containers\[\d+\]\.|emplate\.spec\.|engine_kwargs\.|\.vllm\.|^spec\.", self.field)[-1]


Configs = Mapping[str, Mapping[str, Any]]
"""Data of ConfigMaps, by their name."""


def changed_fields(old: Any, new: Any, configs: tuple[Configs, Configs], field: str = "") -> Iterator[FieldChange]:
    """Yield the changed fields of two objects; ``configs`` are the ConfigMaps beside the old and the new one."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in [*new, *(k for k in old if k not in new)]:
            yield from changed_fields(old.get(key), new.get(key), configs, join(field, str(key)))
    elif arguments := changed_arguments(old, new):
        yield from (FieldChange(f"{field}[{name}]", *values) for name, values in arguments.items())
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, (old_item, new_item) in enumerate(zip(old, new, strict=True)):
            yield from changed_fields(old_item, new_item, configs, f"{field}[{index}]")
    elif not json_equal(old, new):
        inside = list(_inside(old, new, configs, field))
        yield from inside or [FieldChange(field, old, new)]


def _inside(old: Any, new: Any, configs: tuple[Configs, Configs], field: str) -> Iterator[FieldChange]:
    """The changes inside of what two texts hold or refer to; nothing where they are just texts."""
    if not isinstance(old, str) or not isinstance(new, str):
        return
    if field in _YAML_FIELDS:
        before, after = _parsed(old), _parsed(new)
        if isinstance(before, dict) and isinstance(after, dict):
            yield from changed_fields(before, after, configs, field)
    elif field in _CONFIG_FIELDS and old in configs[0] and new in configs[1]:
        before, after = ({key: _parsed(text) for key, text in s.items()} for s in (configs[0][old], configs[1][new]))
        yield from changed_fields(before, after, configs, field)


def _parsed(text: Any) -> Any:
    """The data in a text of YAML; the value itself where it is none."""
    if not isinstance(text, str):
        return text
    try:
        return read_embedded(text, "")
    except UnreadableError:
        return text

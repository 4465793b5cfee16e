"""Existing upstream objects as entries of a stack: each is proposed only where rendering the entry gives the object
back as it is.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from airunway.live.objects import Schema
from airunway.planning.deployment import PlanContext, plan_entry
from airunway.provider.embedded_yaml import read_embedded
from airunway.provider.live_object import LiveObject, UnreadableError, read_as
from airunway.spec.entry import Delivery
from airunway.text.merge import patch_between
from airunway.text.problems import InputError, join
from airunway.text.yaml_writing import to_yaml
from providers import PROVIDERS as PROVIDERS

_OTHER = ("apiVersion", "kind", "metadata", "status")


@dataclass(frozen=True)
class Adoption:
    """One object: the ``entry`` that stands for it, or None and why not."""

    kind: str
    api_version: str
    namespace: str
    name: str
    entry: dict[str, Any] | None
    why_not: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """The id by which Pulumi's Kubernetes provider imports the object."""
        return f"{self.namespace}/{self.name}"


def adopt(obj: Mapping[str, Any], target: PlanContext, schema: Schema | None = None) -> Adoption:
    """The entry for a live object; values that are the defaults of its kind's ``schema`` count as not written.

    What keeps an object from being read is in ``why_not``. Raises ``UnreadableError`` for what is no object at all.
    """
    live = read_as(LiveObject, obj)
    kind, version, namespace, name = live.kind, live.api_version, live.metadata.namespace or "", live.metadata.name
    provider = target.providers.for_object(obj)
    if provider is None:
        return Adoption(kind, version, namespace, name, None, ("no provider makes such objects",))
    config = next((c for c in target.configs if c.name == provider.NAME), None)
    if config is None:
        return Adoption(kind, version, namespace, name, None, (f"provider {provider.NAME} is off in this stack",))
    try:
        where = {"name": name} | ({} if namespace == target.settings.namespace else {"namespace": namespace})
        how = {} if target.settings.delivery is Delivery.DIRECT else {"delivery": str(Delivery.DIRECT)}
        entry = {
            **where,
            **how,
            "takeOver": True,
            "provider": {"name": provider.NAME},
            **provider.read_fields(obj, config),
        }
        defaults = schema or Schema()
        exact = _exact(entry, _body(obj, defaults), lambda one: _rendered(one, version, target, defaults))
        return Adoption(kind, version, namespace, name, exact)
    except UnreadableError as error:
        return Adoption(kind, version, namespace, name, None, (str(error),))
    except InputError as error:
        return Adoption(kind, version, namespace, name, None, tuple(map(str, error.problems)))


def _exact(
    entry: dict[str, Any], body: dict[str, Any], rendered_of: Callable[[dict[str, Any]], dict[str, Any]]
) -> dict[str, Any]:
    """``entry`` with what it takes for it to be rendered as ``body``. Raises ``InputError`` and ``UnreadableError``
    where nothing does.
    """
    rendered = rendered_of(entry)
    overrides = patch_between(rendered, body)
    if overrides:
        entry = entry | {"provider": entry["provider"] | {"overrides": overrides}}
        rendered = rendered_of(entry)
    different = _differences(rendered, body)
    if different:
        raise UnreadableError(f"would change {', '.join(different)}")
    # Without the provider's name where the rules choose the same one anyway.
    provider = {k: v for k, v in entry["provider"].items() if k != "name"}
    free = {k: v for k, v in entry.items() if k != "provider"} | ({"provider": provider} if provider else {})
    try:
        return free if rendered_of(free) == body else entry
    except (InputError, UnreadableError):
        return entry


def _rendered(entry: dict[str, Any], version: str, target: PlanContext, schema: Schema) -> dict[str, Any]:
    resource = plan_entry(entry, target).rendered.resource
    if resource["apiVersion"] != version:
        raise UnreadableError(f"apiVersion: is {version}, a deployment is made as {resource['apiVersion']}")
    return _body(resource, schema)


def _body(obj: Mapping[str, Any], schema: Schema) -> dict[str, Any]:
    """What an object says, but for what it is and how it fares; a default says nothing, whoever wrote it."""
    found: dict[str, Any] = _normal({k: v for k, v in _written(dict(obj), schema).items() if k not in _OTHER})
    return found


def _written(obj: Any, schema: Schema) -> Any:
    """``obj`` without the values that the API server filled in by ``schema``."""
    if isinstance(obj, dict):
        inner = {key: schema.below(key) for key in obj}
        return {k: _written(v, inner[k]) for k, v in obj.items() if inner[k].default is None or inner[k].default != v}
    if isinstance(obj, list):
        return [_written(v, schema.items or Schema()) for v in obj]
    return obj


def _normal(value: Any, key: str = "") -> Any:
    """``value`` so that two ways to write the same are equal: quantities as text, embedded YAML as data, nothing
    empty.
    """
    if isinstance(value, dict):
        found = {k: _normal(v, k) for k, v in value.items()}
        return {
            k: (str(v) if key in ("limits", "requests") else v) for k, v in found.items() if v not in (None, {}, [])
        }
    if isinstance(value, list):
        return [_normal(v) for v in value]
    if key == "serveConfigV2" and isinstance(value, str):
        return to_yaml(_sorted(read_embedded(value, key)))
    return value


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(element) for element in value] if isinstance(value, list) else value


def _differences(old: Any, new: Any, path: str = "") -> list[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        return [d for key in {**new, **old} for d in _differences(old.get(key), new.get(key), join(path, str(key)))]
    return [] if old == new else [path]

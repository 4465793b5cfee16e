"""Convert existing upstream objects to stack entries, if rendering the entry gives exactly the same object."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from airunway.live.adoption_reasons import inexpressible
from airunway.live.objects import Schema
from airunway.planning.deployment import PlanContext, plan_entry
from airunway.provider.contract import api_versions
from airunway.provider.embedded_yaml import read_embedded
from airunway.provider.live_object import LiveObject, UnreadableError, read_as
from airunway.provider.overrides import shape_of
from airunway.spec.clear_text import clear_text_problems
from airunway.spec.entry import Delivery, DeploymentEntry
from airunway.text.merge import join_patches, patch_between
from airunway.text.problems import InputError, join
from airunway.text.yaml_writing import to_yaml
from providers import PROVIDERS as PROVIDERS

_IGNORED_KEYS = ("apiVersion", "kind", "metadata", "status")


@dataclass(frozen=True)
class Adoption:
    """One object and its stack ``entry``, or None and the ``reasons``."""

    kind: str
    api_version: str
    namespace: str
    name: str
    entry: dict[str, Any] | None
    reasons: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """The object's import id for Pulumi's Kubernetes provider."""
        return f"{self.namespace}/{self.name}"


def adopt(obj: Mapping[str, Any], target: PlanContext, schema: Schema | None = None) -> Adoption:
    """Convert a live object to an entry; values that equal the defaults of its ``schema`` count as unset.

    If no entry matches, ``reasons`` say why. Raises ``UnreadableError`` if ``obj`` is not a Kubernetes object.
    """
    live = read_as(LiveObject, obj)
    kind, version, namespace, name = live.kind, live.api_version, live.metadata.namespace or "", live.metadata.name
    provider = target.providers.for_object(obj)
    if provider is None:
        return Adoption(kind, version, namespace, name, None, ("no provider creates such objects",))
    config = next((c for c in target.configs if c.name == provider.NAME), None)
    if config is None:
        return Adoption(kind, version, namespace, name, None, (f"provider {provider.NAME} is off in this stack",))
    try:
        location = {"name": name} | ({} if namespace == target.settings.namespace else {"namespace": namespace})
        delivery = {} if target.settings.delivery is Delivery.DIRECT else {"delivery": str(Delivery.DIRECT)}
        entry = {
            **location,
            **delivery,
            "takeOver": True,
            "provider": {"name": provider.NAME},
            **provider.read_fields(obj, config),
        }
        defaults = schema or Schema()
        context = target.with_api_version(provider, version) if version in api_versions(provider) else target
        exact = _exact_entry(
            entry,
            _body(obj, defaults),
            lambda candidate: _render_body(candidate, version, context, defaults),
            shape_of(provider, version).unordered if version in api_versions(provider) else (),
        )
        return Adoption(kind, version, namespace, name, exact)
    except UnreadableError as error:
        return Adoption(kind, version, namespace, name, None, tuple(map(str, error.args)))
    except InputError as error:
        return Adoption(kind, version, namespace, name, None, tuple(map(str, error.problems)))


def _exact_entry(
    entry: dict[str, Any],
    body: dict[str, Any],
    render: Callable[[dict[str, Any]], dict[str, Any]],
    unordered: Sequence[str],
) -> dict[str, Any]:
    """Extend ``entry`` until it renders as ``body``. Raises ``InputError`` or ``UnreadableError`` if it can't.

    The order of the lists at the paths in ``unordered`` means nothing.
    """
    entry, rendered = _render_first(entry, render)
    for path in unordered:
        body = _ordered(body, rendered, path.split("."))
    patch = patch_between(rendered, body)
    if patch:
        overrides = join_patches(entry["provider"].get("overrides"), patch)
        entry = entry | {"provider": entry["provider"] | {"overrides": overrides}}
        try:
            rendered = render(entry)
        except InputError as error:
            reasons = tuple(inexpressible(error.problems, overrides, rendered, body))
            raise UnreadableError(*(reasons or (_would_change(rendered, body),))) from error
    if rendered != body:
        raise UnreadableError(_would_change(rendered, body))
    # Leave out the provider's name if the rules select it anyway.
    provider = {k: v for k, v in entry["provider"].items() if k != "name"}
    unnamed = {k: v for k, v in entry.items() if k != "provider"} | ({"provider": provider} if provider else {})
    try:
        return unnamed if render(unnamed) == body else entry
    except (InputError, UnreadableError):
        return entry


def _render_first(
    entry: dict[str, Any], render: Callable[[dict[str, Any]], dict[str, Any]]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """``entry`` and its body, without its engine arguments if no entry may have them: an override has them then."""
    try:
        return entry, render(entry)
    except InputError:
        engine = entry.get("engine", {})
        without = entry | {"engine": {k: v for k, v in engine.items() if k not in ("args", "extraArgs")}}
        if without.get("engine") == engine or _has_credentials(entry):
            raise
        try:
            return without, render(without)
        except InputError:
            pass
        raise


def _has_credentials(entry: dict[str, Any]) -> bool:
    """Whether an entry has a credential in clear text, which is not to be hidden in an override."""
    try:
        return any(clear_text_problems(DeploymentEntry.model_validate(entry)))
    except ValidationError:
        return True


def _render_body(entry: dict[str, Any], version: str, target: PlanContext, schema: Schema) -> dict[str, Any]:
    resource = plan_entry(entry, target).rendered.resource
    if resource["apiVersion"] != version:
        raise UnreadableError(f"apiVersion: is {version}, but deployments are created as {resource['apiVersion']}")
    return _body(resource, schema)


def _body(obj: Mapping[str, Any], schema: Schema) -> dict[str, Any]:
    """Return an object without identity, status and default values."""
    body: dict[str, Any] = _normalize(
        {k: v for k, v in _without_defaults(dict(obj), schema).items() if k not in _IGNORED_KEYS}
    )
    return body


def _ordered(value: Any, model: Any, path: Sequence[str]) -> Any:
    """``value`` with the elements of its list at ``path`` in the order of those in ``model``, and then the others."""
    if path:
        if not isinstance(value, dict) or not isinstance(model, dict) or path[0] not in value:
            return value
        return value | {path[0]: _ordered(value[path[0]], model.get(path[0]), path[1:])}
    names = [element.get("name") for element in model] if isinstance(model, list) else []
    return sorted(value, key=lambda element: names.index(n) if (n := element.get("name")) in names else len(names))


def _without_defaults(obj: Any, schema: Schema) -> Any:
    """Remove values that equal the defaults in ``schema``."""
    if isinstance(obj, dict):
        inner = {key: schema.below(key) for key in obj}
        return {
            k: _without_defaults(v, inner[k])
            for k, v in obj.items()
            if inner[k].default is None or inner[k].default != v
        }
    if isinstance(obj, list):
        return [_without_defaults(v, schema.items or Schema()) for v in obj]
    return obj


def _normalize(value: Any, key: str = "") -> Any:
    """Normalize ``value`` for comparison: quantities as text, embedded YAML sorted, no empty values."""
    if isinstance(value, dict):
        normalized = {k: _normalize(v, k) for k, v in value.items()}
        return {
            k: (str(v) if key in ("limits", "requests") and not isinstance(v, dict) else v)
            for k, v in normalized.items()
            if v not in (None, {}, [])
        }
    if isinstance(value, list):
        return [_normalize(v) for v in value]
    if key == "serveConfigV2" and isinstance(value, str):
        return to_yaml(_sort_keys(read_embedded(value, key)))
    return value


def _sort_keys(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sort_keys(value[key]) for key in sorted(value)}
    return [_sort_keys(element) for element in value] if isinstance(value, list) else value


def _would_change(old: Any, new: Any) -> str:
    return f"would change {', '.join(_differences(old, new))}"


def _differences(old: Any, new: Any, field: str = "") -> list[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        return [d for key in {**new, **old} for d in _differences(old.get(key), new.get(key), join(field, str(key)))]
    return [] if old == new else [field]

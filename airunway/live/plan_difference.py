"""What a live object has otherwise than its plan: a change that was not applied, or was made by someone else."""

from collections.abc import Iterator, Mapping
from typing import Any

from airunway.spec.quantities import parse_quantity

_COMPARED_APART = ("apiVersion", "kind", "metadata", "status")
_DECLARED = ("labels", "annotations")
_PULUMI = "pulumi.com/"
_DIGEST = "@sha256:"
_AMOUNTS = ("limits", "requests")
"""Maps of quantities, which the API server writes in another way in kinds of its own: ``1000m`` as ``1``."""


def fields_not_as_planned(planned: Mapping[str, Any], live: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the paths of what ``planned`` has and ``live`` has otherwise or not at all, in the order of the plan.

    What only ``live`` has is of the API server or an operator, except for elements of lists. A field that is empty in
    the plan may be missing. An image may have got its digest since.
    """
    metadata, live_metadata = planned["metadata"], _mapping(live.get("metadata"))
    fields = [
        path
        for section in _DECLARED
        for key, value in (metadata.get(section) or {}).items()
        if not key.startswith(_PULUMI)
        for path in _different(value, _mapping(live_metadata.get(section)).get(key), f"metadata.{section}[{key!r}]")
    ]
    for key, value in planned.items():
        if key not in _COMPARED_APART:
            fields += _different(value, live.get(key), key)
    return tuple(fields)


def _different(planned: Any, live: Any, path: str, *, is_amount: bool = False) -> Iterator[str]:
    if live is None and not planned:
        return
    match planned:
        case Mapping() if isinstance(live, Mapping):
            for key, value in planned.items():
                yield from _different(value, live.get(key), f"{path}.{key}", is_amount=path.endswith(_AMOUNTS))
        case [*_] if isinstance(live, list) and len(live) == len(planned):
            for index, (value, found) in enumerate(zip(planned, live, strict=True)):
                yield from _different(value, found, f"{path}[{index}]")
        case _ if not _is_same(planned, live, is_amount=is_amount):
            yield path


def _is_same(planned: Any, live: Any, *, is_amount: bool) -> bool:
    if is_amount:
        amount = parse_quantity(str(planned))
        return amount is not None and amount == parse_quantity(str(live))
    if isinstance(planned, str) and isinstance(live, str):
        return live == planned or (live.startswith(planned + _DIGEST) and _DIGEST not in planned)
    if isinstance(planned, bool) or isinstance(live, bool):
        return planned is live
    return bool(planned == live)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}

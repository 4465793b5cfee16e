"""A deployment's entry as a configuration sizes it; everything else in it stays."""

import copy
from collections.abc import Mapping
from typing import Any

from airunway.assessment.sizing import Configuration, SizedWorkers, SizingError, sizing_data
from airunway.provider.engine_flags import flag_table
from airunway.provider.user_flags import argument_flags
from airunway.spec.model import Engine, Mode

_ROLES = ("prefill", "decode")


def sized_entry(entry: Mapping[str, Any], configuration: Configuration, engine: Engine) -> dict[str, Any]:
    """``entry``, which is valid, with the workers and parallel sizes of ``configuration``. Raises ``SizingError``.

    The tensor-parallel size is not written: it is what the other sizes leave of the GPUs.
    """
    sized = copy.deepcopy(dict(entry))
    _set_flags(sized, configuration.flags(engine), engine)
    kind = _gpu_kind(sized)
    if configuration.mode is Mode.DISAGGREGATED:
        _disaggregate(sized, configuration, kind)
    else:
        _aggregate(sized, configuration.workers[0], kind)
    for section in ("serving", "scaling", "resources", "engine"):
        if section in sized and not sized[section]:
            del sized[section]
    return sized


def _section(entry: dict[str, Any], name: str) -> dict[str, Any]:
    if not entry.get(name):
        entry[name] = {}
    section: dict[str, Any] = entry[name]
    return section


def _gpu_kind(entry: Mapping[str, Any]) -> dict[str, Any]:
    """The extended resource that the entry asks for, if it names one."""
    scaling = entry.get("scaling") or {}
    sections = [entry.get("resources") or {}, *((scaling.get(role) or {}) for role in _ROLES)]
    kinds = [section["gpu"]["type"] for section in sections if "type" in (section.get("gpu") or {})]
    return {"type": kinds[0]} if kinds else {}


def _disaggregate(entry: dict[str, Any], configuration: Configuration, kind: dict[str, Any]) -> None:
    _section(entry, "serving")["mode"] = str(Mode.DISAGGREGATED)
    _section(entry, "resources").pop("gpu", None)
    scaling = _section(entry, "scaling")
    scaling.pop("replicas", None)
    for workers in configuration.workers:
        part = _section(scaling, workers.role)
        part["replicas"] = workers.replicas
        part["gpu"] = {**kind, **(part.get("gpu") or {}), "count": workers.gpus}


def _aggregate(entry: dict[str, Any], workers: SizedWorkers, kind: dict[str, Any]) -> None:
    _section(entry, "serving").pop("mode", None)
    scaling, resources = _section(entry, "scaling"), _section(entry, "resources")
    for role in _ROLES:
        part = scaling.pop(role, None) or {}
        if "memory" in part:
            resources.setdefault("memory", part["memory"])
    if workers.replicas > 1 or "replicas" in scaling:
        scaling["replicas"] = workers.replicas
    resources["gpu"] = {**kind, **(resources.get("gpu") or {}), "count": workers.gpus}


def _set_flags(entry: dict[str, Any], flags: Mapping[str, str], engine: Engine) -> None:
    """Replace the flags of parallel sizes in ``engine.args``. Raises ``SizingError`` for ones in ``extraArgs``."""
    table = flag_table()
    parallel = table.parallel[engine]
    ours = {parallel.tensor, *parallel.others, *(row.flag for row in sizing_data().flags[engine])}
    section = _section(entry, "engine")
    for extra in argument_flags(engine, section.get("extraArgs") or []):
        if table.spelling(engine, extra.flag.name) in ours:
            raise SizingError(f"{extra.field} has {extra.written}; write it in engine.args, where it can be changed")
    args = _section(section, "args")
    written = {key: value for key, value in args.items() if table.spelling(engine, key) in ours}
    for key in written:
        if table.spelling(engine, key) not in flags:
            del args[key]
    spelled = {table.spelling(engine, key): key for key in args}
    args |= {spelled.get(flag, flag): value for flag, value in flags.items()}
    if not args:
        del section["args"]

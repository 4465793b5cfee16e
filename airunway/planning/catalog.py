"""The providers that a stack can use: the built-in InferenceProviderConfigs and its own, with its settings applied."""

import contextlib
from typing import Any

from airunway.planning.documents import parse_documents
from airunway.planning.files import Files
from airunway.planning.settings import ProviderSettings, StackSettings
from airunway.provider.provider_set import Providers
from airunway.selection.provider_config import InferenceProviderConfig, load_config
from airunway.selection.upstream_keys import hoist_annotations
from airunway.text.merge import merge_patch, non_empty
from airunway.text.problems import InputError, Problem, suggest_name


def provider_configs(settings: StackSettings, files: Files, providers: Providers) -> list[InferenceProviderConfig]:
    """The enabled providers, sorted by name. Raises ``InputError``."""
    configs, problems = read_provider_configs(settings, files, providers)
    if problems:
        raise InputError(problems)
    return configs


def read_provider_configs(
    settings: StackSettings, files: Files, providers: Providers
) -> tuple[list[InferenceProviderConfig], list[Problem]]:
    """The enabled providers that are valid, and the problems of the others.

    These are the built-in providers and those from ``providerFiles``, with the stack's settings applied.
    """
    builtin_documents = providers.documents
    documents: dict[str, tuple[Any, str]] = {
        name: (body, f"providers.{name}") for name, body in builtin_documents.items()
    }
    problems: list[Problem] = []
    sources: dict[str, str] = {}
    texts, file_problems = files.select_texts("providerFiles", settings.provider_files)
    problems += file_problems
    for file, text in texts.items():
        try:
            for document in parse_documents(text, file, ("InferenceProviderConfig",)):
                name = document.body["metadata"]["name"]
                if name in sources:
                    problems.append(
                        Problem(
                            f"{document.source}: metadata.name", f"{name!r} is in {sources[name]} too; give it once"
                        )
                    )
                documents[name], sources[name] = (document.body, document.source), document.source
        except InputError as error:
            problems += error.problems
    for name in settings.providers:
        if name not in documents:
            problems.append(
                Problem(
                    f"providers.{name}",
                    f"no such provider; {suggest_name(name, documents)}; add others with providerFiles",
                )
            )
    configs = []
    for name, (body, source) in sorted(documents.items()):
        changes = provider_settings(settings, name)
        if not changes.enabled:
            continue
        try:
            complete = _with_builtin_defaults(_hoisted(body), builtin_documents.get(name))
            configs.append(load_config(merge_patch(complete, {"spec": changes.spec}, lists_by_name=True), source))
        except InputError as error:
            problems += error.problems
    return configs, problems


def _hoisted(document: Any) -> Any:
    with contextlib.suppress(ValueError):  # which load_config reports
        return hoist_annotations(document)
    return document


def _with_builtin_defaults(document: Any, builtin: Any) -> Any:
    """``document`` with the built-in images, defaults and installation where it lacks them, as upstream's documents do.

    An installation that names no charts gets the built-in ones; ``helmCharts: []`` means that there are none.
    """
    if builtin is None or not isinstance(document.get("spec"), dict):
        return document
    spec = document["spec"]
    sections = {key: spec.get(key) or {} for key in ("images", "defaults")}
    installation = spec.get("installation") or {}
    if isinstance(installation, dict) and "helmCharts" not in installation:
        sections["installation"] = installation
    completed = {
        key: builtin["spec"].get(key, {}) | value if isinstance(value, dict) else value
        for key, value in sections.items()
    }
    return document | {"spec": non_empty(documentation=builtin["spec"].get("documentation")) | spec | completed}


def provider_settings(settings: StackSettings, name: str) -> ProviderSettings:
    """The stack's settings for one provider, or the defaults."""
    return settings.providers.get(name, ProviderSettings())

"""The providers that a stack may choose from: the built-in InferenceProviderConfigs and its own, changed as its
settings say.
"""

from typing import Any

from airunway.planning.documents import parse_documents
from airunway.planning.files import Files
from airunway.planning.settings import ProviderSettings, StackSettings
from airunway.provider.registry import Providers
from airunway.selection.provider_config import InferenceProviderConfig, load_config
from airunway.text.merge import merge_patch
from airunway.text.problems import InputError, Problem, nearest


def provider_configs(settings: StackSettings, files: Files, providers: Providers) -> list[InferenceProviderConfig]:
    """The providers that may be chosen, sorted by name. Raises ``InputError``."""
    configs, problems = read_provider_configs(settings, files, providers)
    if problems:
        raise InputError(problems)
    return configs


def read_provider_configs(
    settings: StackSettings, files: Files, providers: Providers
) -> tuple[list[InferenceProviderConfig], list[Problem]]:
    """The providers that may be chosen, as far as they can be read, and what is wrong with the others.

    They are the built-in ones and those of files, changed as the stack says.
    """
    builtin = providers.documents
    documents: dict[str, tuple[Any, str]] = {name: (body, f"providers.{name}") for name, body in builtin.items()}
    problems: list[Problem] = []
    filed: dict[str, str] = {}
    texts, unread = files.read("providerFiles", settings.provider_files)
    problems += unread
    for file, text in texts.items():
        try:
            for document in parse_documents(text, file, ("InferenceProviderConfig",)):
                name = document.body["metadata"]["name"]
                if name in filed:
                    problems.append(
                        Problem(f"{document.source}: metadata.name", f"{name!r} is in {filed[name]} too; give it once")
                    )
                documents[name], filed[name] = (document.body, document.source), document.source
        except InputError as error:
            problems += error.problems
    for name in settings.providers:
        if name not in documents:
            problems.append(
                Problem(
                    f"providers.{name}", f"no such provider; {nearest(name, documents)}; add others with providerFiles"
                )
            )
    configs = []
    for name, (body, source) in sorted(documents.items()):
        changed = provider_settings(settings, name)
        if not changed.enabled:
            continue
        try:
            document = merge_patch(body, {"spec": changed.spec}, lists_by_name=True)
            configs.append(load_config(_completed(document, builtin.get(name)), source))
        except InputError as error:
            problems += error.problems
    return configs, problems


def _completed(document: Any, builtin: Any) -> Any:
    """``document`` with the built-in one's images and quantities where it names none, as upstream's documents don't."""
    if builtin is None or not isinstance(document.get("spec"), dict):
        return document
    own = document["spec"]
    wanted = {key: own.get(key) or {} for key in ("images", "defaults")}
    return document | {
        "spec": own | {key: builtin["spec"].get(key, {}) | v if isinstance(v, dict) else v for key, v in wanted.items()}
    }


def provider_settings(settings: StackSettings, name: str) -> ProviderSettings:
    """What a stack says of one provider, or the defaults."""
    return settings.providers.get(name, ProviderSettings())

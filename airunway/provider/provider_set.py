"""A collection of inference providers; callers supply the list."""

import copy
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any

from airunway.provider.contract import Provider
from airunway.text.problems import InputError, Problem
from airunway.text.yaml_reading import load_data


class Providers(Collection[Provider]):
    """Providers by name and by the kind of their upstream objects."""

    def __init__(self, providers: Iterable[Provider]) -> None:
        self._by_name = {provider.NAME: provider for provider in providers}

    def __iter__(self) -> Iterator[Provider]:
        return iter(self._by_name.values())

    def __contains__(self, provider: object) -> bool:
        return provider in self._by_name.values()

    def __len__(self) -> int:
        return len(self._by_name)

    def for_object(self, obj: Mapping[str, Any]) -> Provider | None:
        """The provider that ``obj`` belongs to, by its kind and the provider's ``SELECTOR`` labels."""
        kind, metadata = obj.get("kind"), obj.get("metadata")
        labels = metadata.get("labels") if isinstance(metadata, Mapping) else None
        items = labels.items() if isinstance(labels, Mapping) else {}.items()
        return next((p for p in self if kind == p.KIND and p.SELECTOR.items() <= items), None)

    def get(self, name: str) -> Provider | None:
        """The provider of that name; None if it is defined only by a stack's own document."""
        return self._by_name.get(name)

    def require(self, name: str) -> Provider:
        """The provider of that name. Raises ``InputError`` if there is none."""
        provider = self.get(name)
        if provider is None:
            names = ", ".join(self._by_name)
            raise InputError(
                [
                    Problem(
                        "provider.name", f"{name} was chosen, but there is no renderer for it; there is one for {names}"
                    )
                ]
            )
        return provider

    @property
    def documents(self) -> dict[str, Any]:
        """The built-in InferenceProviderConfigs (``config.yaml``) as plain data, by provider name."""
        return copy.deepcopy(self._documents)

    @cached_property
    def shims(self) -> dict[str, Any]:
        """The behaviour of the KubeAIRunway controller's shims (``shim.yaml``), by provider name.

        ``groups`` are the API groups of the controller releases that have the shim, if not all do.
        """
        return self._load("shim.yaml")

    @cached_property
    def schemas(self) -> dict[str, Any]:
        """Defaults of built-in kinds, which have no CRD to read them from (``schema.yaml``), by provider name.

        They are OpenAPI schemas with nothing but defaults.
        """
        return self._load("schema.yaml")

    @cached_property
    def _documents(self) -> dict[str, Any]:
        return self._load("config.yaml")

    def _load(self, file: str) -> dict[str, Any]:
        paths = {provider.NAME: provider.FOLDER / file for provider in self}
        return {name: load_data(path) for name, path in sorted(paths.items()) if path.exists()}

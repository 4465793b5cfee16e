"""The inference providers that a program knows: who is one is said where they are listed, and handed in from there."""

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

    def of(self, obj: Mapping[str, Any]) -> Provider | None:
        """The provider that ``obj`` is an object of, by its kind and, where others have objects of that kind too, by
        its labels.
        """
        kind, metadata = obj.get("kind"), obj.get("metadata")
        labels = metadata.get("labels") if isinstance(metadata, Mapping) else None
        carried = labels.items() if isinstance(labels, Mapping) else {}.items()
        return next((p for p in self if kind == p.KIND and p.SELECTOR.items() <= carried), None)

    def named(self, name: str) -> Provider | None:
        """The provider of that name; None for one that a stack brought along."""
        return self._by_name.get(name)

    def renderer(self, name: str) -> Provider:
        """The provider of that name. Raises ``InputError`` where there is none."""
        provider = self.named(name)
        if provider is None:
            known = ", ".join(self._by_name)
            raise InputError(
                [
                    Problem(
                        "provider.name", f"{name} was chosen, but there is no renderer for it; there is one for {known}"
                    )
                ]
            )
        return provider

    @property
    def documents(self) -> dict[str, Any]:
        """The built-in InferenceProviderConfigs as plain data, by provider name: the ``config.yaml`` of each provider's
        folder.
        """
        return copy.deepcopy(self._documents)

    @cached_property
    def shims(self) -> dict[str, Any]:
        """What the KubeAIRunway controller's shims do, by provider name: the ``shim.yaml`` of each folder that has one.

        ``groups`` are the API groups of the controller's releases that have the shim, where not all do.
        """
        return self._read("shim.yaml")

    @cached_property
    def schemas(self) -> dict[str, Any]:
        """What the API server fills in where a kind is Kubernetes' own, and so has no CRD to read, by provider name.

        OpenAPI schemas with nothing but defaults: the ``schema.yaml`` of each folder that has one.
        """
        return self._read("schema.yaml")

    @cached_property
    def _documents(self) -> dict[str, Any]:
        return self._read("config.yaml")

    def _read(self, file: str) -> dict[str, Any]:
        paths = {provider.NAME: provider.FOLDER / file for provider in self}
        return {name: load_data(path) for name, path in sorted(paths.items()) if path.exists()}

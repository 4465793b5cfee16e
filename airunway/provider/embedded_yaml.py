"""YAML inside a live object, read as Kubernetes' Go libraries read it."""

import json
import re
from typing import Any

from airunway.provider.live_object import UnreadableError
from airunway.text.problems import InputError
from airunway.text.yaml_reading import Loader, read_document

_BOOL = "tag:yaml.org,2002:bool"


class _GoLoader(Loader):
    """Truth values as sigs.k8s.io/yaml has them (goyaml.v2, resolve.go), which are those of YAML 1.1."""


def _truth(loader: _GoLoader, node: Any) -> bool:
    return str(loader.construct_scalar(node)).lower() in ("y", "yes", "true", "on")


_GoLoader.add_implicit_resolver(
    _BOOL, re.compile(r"(y|Y|yes|Yes|YES|n|N|no|No|NO|on|On|ON|off|Off|OFF)\Z"), list("yYnNoO")
)
_GoLoader.add_constructor(_BOOL, _truth)


def read_embedded(text: str, path: str) -> Any:
    """The plain data that ``text`` means, which stands at ``path`` of its object. Raises ``UnreadableError``."""
    try:
        # Keys are texts to Go, whatever they look like.
        return json.loads(json.dumps(read_document(text, path, _GoLoader)))
    except InputError as error:
        raise UnreadableError(str(error)) from error

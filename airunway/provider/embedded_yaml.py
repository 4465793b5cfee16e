"""YAML embedded in a live object, parsed as Kubernetes' Go libraries parse it."""

import json
import re
from typing import Any

from airunway.provider.live_object import UnreadableError
from airunway.text.problems import InputError
from airunway.text.yaml_reading import Loader, read_document

_BOOL = "tag:yaml.org,2002:bool"


class _GoLoader(Loader):
    """Booleans as in sigs.k8s.io/yaml (goyaml.v2, resolve.go), which are those of YAML 1.1."""


def _bool(loader: _GoLoader, node: Any) -> bool:
    return str(loader.construct_scalar(node)).lower() in ("y", "yes", "true", "on")


_GoLoader.add_implicit_resolver(
    _BOOL, re.compile(r"(y|Y|yes|Yes|YES|n|N|no|No|NO|on|On|ON|off|Off|OFF)\Z"), list("yYnNoO")
)
_GoLoader.add_constructor(_BOOL, _bool)


def read_embedded(text: str, field: str) -> Any:
    """Parse ``text``, the value of ``field`` in its object, into plain data. Raises ``UnreadableError``."""
    try:
        # In Go, every key is a string.
        return json.loads(json.dumps(read_document(text, field, _GoLoader)))
    except InputError as error:
        raise UnreadableError(str(error)) from error

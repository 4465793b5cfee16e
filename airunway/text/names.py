"""Names of Kubernetes objects that are made from other texts, the same in every run."""

import hashlib
import json
import re
from typing import Any


def digest(value: Any, length: int = 8) -> str:
    """A short hash of plain data, the same in every run."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:length]


def dns_label(*parts: str, limit: int = 63) -> str:
    """``parts`` joined to a DNS label of at most ``limit`` characters; whatever is cut or replaced is told apart by a
    hash.
    """
    wanted = "-".join(parts)
    slug = re.sub(r"[^a-z0-9-]+", "-", wanted.lower()).strip("-")
    if slug == wanted and len(slug) <= limit:
        return slug
    suffix = digest(wanted)
    return f"{slug[: limit - len(suffix) - 1].rstrip('-')}-{suffix}".lstrip("-")

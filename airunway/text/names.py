"""Stable names of Kubernetes objects, derived from other texts."""

import hashlib
import json
import re
from typing import Any


def digest(value: Any, length: int = 8) -> str:
    """A short, stable hash of plain data."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:length]


def dns_label(*parts: str, limit: int = 63) -> str:
    """``parts`` joined to a DNS label of at most ``limit`` characters, with a hash if it had to be changed."""
    name = "-".join(parts)
    slug = re.sub(r"[^a-z0-9-]+", "-", name.lower()).strip("-")
    if slug == name and len(slug) <= limit:
        return slug
    suffix = digest(name)
    return f"{slug[: limit - len(suffix) - 1].rstrip('-')}-{suffix}".lstrip("-")

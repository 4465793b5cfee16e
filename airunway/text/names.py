"""Stable names of Kubernetes objects, derived from other texts."""

import hashlib
import json
import re
from typing import Any

DNS_LABEL = r"^[a-z]([-a-z0-9]*[a-z0-9])?$"
"""What a name of ours looks like: a DNS label that begins with a letter, as a Service's name has to."""


DNS_LABEL_WORDS = "a name of small letters, digits and '-' that begins with a letter"


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


def suggest_label(text: str, limit: int = 63) -> str | None:
    """A DNS label for the name of a model or a team: ``qwen3-0-6b`` for ``Qwen/Qwen3-0.6B``; None if there is none."""
    if not text.isascii():
        return None
    slug = re.sub(r"[^a-z0-9]+", "-", text.rstrip("/").rpartition("/")[2].lower()).strip("-")
    label = slug if not slug[:1].isdigit() else f"model-{slug}"
    return label[:limit].rstrip("-") or None

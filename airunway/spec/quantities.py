"""Kubernetes quantities, and sizes in bytes that can't have been meant."""

from decimal import Decimal

from airunway.spec.model import MAX_EXPONENT, MAX_QUANTITY_LENGTH, QUANTITY

_SUFFIX = {"": 0, "n": -9, "u": -6, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_LEAST_SIZE = 2**20
"""No engine starts in a mebibyte of memory, nor does a volume hold an image: less was meant to have another unit."""


def parse_quantity(text: str) -> Decimal | None:
    """The value of a Kubernetes quantity, or None if ``text`` is not one, or one beyond all that can be meant."""
    match = QUANTITY.fullmatch(text) if len(text) <= MAX_QUANTITY_LENGTH else None
    if not match:
        return None
    number, suffix = Decimal(match["number"]), match["suffix"] or ""
    if suffix.endswith("i"):
        return number * Decimal(1024) ** ("KMGTPE".index(suffix[0]) + 1)
    if suffix[:1] in ("e", "E") and len(suffix) > 1:
        exponent = int(suffix[1:])
        return number * Decimal(10) ** exponent if abs(exponent) <= MAX_EXPONENT else None
    return number * Decimal(10) ** _SUFFIX[suffix]


def size_problem(text: str) -> str | None:
    """What is wrong with a size in bytes, such as 16Gi; None if nothing is."""
    amount = parse_quantity(text)
    if amount is None:
        return "must be a Kubernetes quantity, such as 16Gi"
    if amount == 0:
        return "must be more than 0"
    if amount < _LEAST_SIZE:
        whole = text.isdecimal() and int(text) <= 1024
        unit = f"write {text}Gi" if whole else "write it with its unit, such as 16Gi"
        return f"which is {amount.normalize():f} byte{'' if amount == 1 else 's'}; {unit}"
    return None

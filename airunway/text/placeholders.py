"""Texts that stand for values which are not known, or not to be seen, while a plan is made."""

import re

SECRET = "[secret]"
"""Printed in place of a secret's value."""
UNKNOWN = "[unknown]"
"""Stands for a value that Pulumi does not know before an update, or that only Pulumi knows."""
ENCRYPTED = re.compile(rf"{re.escape(SECRET)} [0-9a-f]{{12}}")
"""What stands for an encrypted value of a stack file: a digest tells whether it changed."""
_OUTPUT = re.compile(r"output-[a-z]+-[0-9a-f]+")


def encrypted_placeholder(digest: str) -> str:
    """The placeholder of an encrypted value."""
    return f"{SECRET} {digest[:12]}"


def output_placeholder(variant: str, digest: str) -> str:
    """The placeholder of a Pulumi Output: a DNS label, which most fields accept."""
    return f"output-{variant}-{digest}"


def is_placeholder(text: str) -> bool:
    """Whether ``text`` stands for a value that is in no clear text."""
    return bool(ENCRYPTED.fullmatch(text) or _OUTPUT.fullmatch(text))

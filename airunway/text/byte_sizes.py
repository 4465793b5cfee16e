"""Sizes in words."""


def byte_size(count: int, *, sign: bool = False) -> str:
    """A number of bytes as the hub shows sizes, in powers of 1000, such as ``1.2 GB``; with ``sign``, ``+1.2 GB``."""
    amount, units = float(count), ["B", "kB", "MB", "GB", "TB"]
    while abs(amount) >= 999.95 and len(units) > 1:
        amount, units = amount / 1000, units[1:]
    plus = "+" if sign and count >= 0 else ""
    return f"{plus}{amount:,.0f} B" if units[0] == "B" else f"{plus}{amount:,.1f} {units[0]}"


def gib(count: int) -> str:
    """A number of bytes as memory is counted, such as ``15.0 GiB``."""
    return f"{count / 2**30:,.1f} GiB"

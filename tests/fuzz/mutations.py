"""Changes valid input in the ways in which people, tools and attackers get it wrong: types, keys, lengths, nesting,
encodings, numbers and aliases.
"""

import json
import math
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import yaml

Place = tuple[Any, Any]
"""A map or list, and a key or index of it."""


def deep(levels: int, *, maps: bool = False) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = {"a": value} if maps else [value]
    return value


ODD: tuple[Any, ...] = (
    *(
        None,
        True,
        False,
        0,
        1,
        -1,
        2**31,
        2**63,
        2**64,
        10**30,
        -(10**400),
        0.5,
        1e300,
        -0.0,
        math.inf,
        -math.inf,
        math.nan,
    ),
    *(
        "",
        " ",
        "a",
        "A",
        "null",
        "on",
        "1",
        "1e9999999",
        "0x7f",
        "1_000",
        "22:22",
        "2026-11-26",
        "~",
        "${a}",
        "{{ a }}",
    ),
    *(
        "é",
        "\u2028",
        "\x1b[31m",
        "a\nb",
        "::error::x",
        "##[error]x",
        "\u202e",
        "\x7f",
        "\ufeff",
        "𝒳",
        "a" * 64,
        "a" * 254,
    ),
    *(
        "a" * 5000,
        "-",
        "--",
        "-a",
        ".",
        "..",
        "../../etc/passwd",
        "/",
        "a/b/c/d",
        "a:b:c",
        "@",
        "*",
        "**",
        "[",
        "[a-",
        "\\",
    ),
    *(
        "https://[::1",
        "file:///etc/passwd",
        "oci://",
        "javascript:x",
        "10Gi",
        "-1Gi",
        "1e3Gi",
        "9" * 400 + "Ti",
        "0.0000001",
    ),
    *(
        "hf_" + "a" * 34,
        "999999999h",
        "1h1h",
        "sha256:",
        "x@sha256:zz",
        "kube-system",
        "default",
        "127.0.0.1:1",
        "512k",
    ),
    *(
        [],
        {},
        [[]],
        [None],
        {"": None},
        {"a": {}},
        [1, "a", None],
        {"secure": "v1:x"},
        {"$patch": "delete"},
        [{"name": "a"}],
    ),
    *(
        deep(30),
        deep(30, maps=True),
        [{"name": "a"}] * 300,
        {f"k{n}": n for n in range(300)},
        "x " * 2000,
        {"name": {"a": 1}},
    ),
)
PIECES = (
    *(
        "&a ",
        "*a",
        "<<: ",
        "? ",
        "- ",
        ": ",
        "{",
        "}",
        "[",
        "]",
        "---\n",
        "...\n",
        "\n",
        "\t",
        "  ",
        "!!set ",
        "|\n",
        ">\n",
        "#",
        "%",
    ),
    *(
        "!!binary x",
        "!!python/object:os.system ",
        "!a ",
        "'",
        '"',
        "\\",
        "\0",
        "\x07",
        "\r",
        "\u2028",
        "\ufeff",
        "@",
        "`",
        "1: 2\n",
        "~",
        "1",
        "1e9",
    ),
)
KEYS = (
    "name",
    "spec",
    "model",
    "id",
    "engine",
    "resources",
    "gpu",
    "metadata",
    "overrides",
    "",
    "a.b",
    "a/b",
    "<<",
    "1",
    "é",
    "x" * 300,
)


def places(value: Any) -> Iterator[Place]:
    """Every value in ``value``, but for itself."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in list(inner):
        yield value, key
        yield from places(item)


def _replace(container: Any, key: Any, random: Random) -> None:
    container[key] = random.choice(ODD)


def _remove(container: Any, key: Any, _: Random) -> None:
    del container[key]


def _repeat(container: Any, key: Any, random: Random) -> None:
    if isinstance(container, list):
        container.extend([container[key]] * random.choice((1, 2, 40)))
    else:
        container[str(key) + "2"] = container[key]


def _rename(container: Any, key: Any, random: Random) -> None:
    if isinstance(container, dict):
        names = (key.upper(), key[:-1], key + "s", key.replace("C", "_c"), *KEYS) if isinstance(key, str) else KEYS
        container[random.choice(names)] = container.pop(key)


def _add(container: Any, key: Any, random: Random) -> None:
    if isinstance(container, dict):
        container[random.choice(KEYS)] = random.choice(ODD)
    else:
        container.insert(key, random.choice(ODD))


def _wrap(container: Any, key: Any, random: Random) -> None:
    value = container[key]
    container[key] = random.choice(([value], {"a": value}, {"value": value}, [value, value], str(value)))


def _change_text(container: Any, key: Any, random: Random) -> None:
    value = container[key]
    if not isinstance(value, str):
        _replace(container, key, random)
        return
    at = random.randrange(len(value) + 1)
    odd = str(random.choice(ODD))
    container[key] = random.choice(
        (value[:at], value[at:], value[:at] + odd + value[at:], value * 9, value.upper(), odd)
    )


def _swap(container: Any, key: Any, random: Random) -> None:
    other = random.choice(list(container) if isinstance(container, dict) else range(len(container)))
    container[key], container[other] = container[other], container[key]


def _move_key_type(container: Any, key: Any, random: Random) -> None:
    if isinstance(container, dict):
        container[random.choice((1, 1.5, True, None, (1, 2)))] = container.pop(key)


CHANGES: tuple[Callable[[Any, Any, Random], None], ...] = (
    *(
        _replace,
        _replace,
        _replace,
        _remove,
        _repeat,
        _rename,
        _add,
        _wrap,
        _change_text,
        _change_text,
        _swap,
        _move_key_type,
    ),
)


def changed(value: Any, random: Random) -> Any:
    """``value`` with one to three changes, in a copy."""
    copy: Any = yaml.safe_load(yaml.safe_dump(value))
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        found = list(places(copy))
        if not found:
            return random.choice(ODD)
        random.choice(CHANGES)(*random.choice(found), random)
    return random.choice(ODD) if random.random() < 0.02 else copy


def written(value: Any, random: Random) -> bytes:
    """``value`` as YAML or JSON, a part of it with changes of its text and of its bytes."""
    try:
        text = (
            yaml.safe_dump(value, sort_keys=False, allow_unicode=True) if random.random() < 0.7 else json.dumps(value)
        )
    except (TypeError, ValueError, yaml.YAMLError):  # a key that neither has
        text = repr(value)
    if random.random() < 0.3:
        text = _changed_text(text, random)
    data = text.encode("utf-8", "surrogatepass")
    return _changed_bytes(data, random) if random.random() < 0.1 else data


def _changed_text(text: str, random: Random) -> str:
    lines = text.splitlines(keepends=True) or [""]
    at = random.randrange(len(lines))
    match random.randrange(8):
        case 0:
            del lines[at]
        case 1:
            lines.insert(at, lines[at])
        case 2:
            lines[at] = random.choice((" ", "\t", "  ")) + lines[at]
        case 3:
            lines = lines[:at]
        case 4:
            lines.insert(at, "".join(random.choices(PIECES, k=random.choice((1, 3, 30)))))
        case 5:
            lines.insert(0, _laughs(random))
        case 6:
            lines = [line.rstrip("\n") + "\r\n" for line in lines]
        case _:
            lines = lines + ["---\n"] * random.choice((1, 50)) + lines
    text = "".join(lines)
    for _ in range(random.choice((0, 0, 1, 5))):
        spot = random.randrange(len(text) + 1)
        text = text[:spot] + random.choice(PIECES) + text[spot + random.choice((0, 0, 1, 9)) :]
    return text


def _laughs(random: Random) -> str:
    """A billion of something: aliases of lists or maps, merge keys, or brackets."""
    match random.randrange(4):
        case 0:
            return "l0: &l0 [x]\n" + "".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]\n" for n in range(1, 12))
        case 1:
            merged = "".join(f"m{n}: &m{n} {{<<: [{', '.join([f'*m{n - 1}'] * 10)}]}}\n" for n in range(1, 10))
            return "m0: &m0 {a: 1}\n" + merged
        case 2:
            return "deep: " + "[" * random.choice((99, 101, 3000)) + "\n"
        case _:
            return "a: &a [*a]\n"


def _changed_bytes(data: bytes, random: Random) -> bytes:
    at = random.randrange(len(data) + 1)
    return random.choice(
        (
            data.decode("utf-8", "replace").encode("utf-16", "surrogatepass"),
            data.decode("utf-8", "replace").encode("utf-32", "surrogatepass"),
            b"\xef\xbb\xbf" + data,
            data[:at] + b"\xff" + data[at:],
            data[:at] + b"\xed\xa0\x80" + data[at:],
            data[:at] + b"\0" * 9 + data[at:],
            data[:at],
            b"",
            random.randbytes(99),
            data * 40,
            b"#" + b"x" * 2_000_000 + b"\n" + data,
        )
    )

"""Unit (pure): the configuration's text and its size are those of Pulumi; tests/cluster/test_configuration.py asks it
itself.
"""

import json
from typing import Any

import pytest
from hypothesis import given

from airunway.program.stack_file import StackConfig
from airunway.text.config_text import LIMIT, WARN_AT, check_size, config_text, environment_size, size_warnings
from airunway.text.problems import InputError
from tests.unit.test_yaml_reading import data

# As the program got them from the Python language host 3.259 in PULUMI_CONFIG.
TEXTS: list[tuple[Any, str]] = [
    ([], "[]"),
    ({}, "{}"),
    (None, "null"),
    (True, "true"),
    ([{"name": "a", "b": [1, -2]}], '[{"b":[1,-2],"name":"a"}]'),
    ({"a<b": "x & y > \u2028 é 😀"}, r'{"a\u003cb":"x \u0026 y \u003e \u2028 é 😀"}'),
    ('\x7f \x01 \b \f \t " \\', '"\x7f' + r' \u0001 \b \f \t \" \\"'),
    ({2: 3, True: 1, 1.5: 2, None: 3}, r'{"1.5":2,"2":3,"\u003cnil\u003e":3,"true":1}'),
    (
        [1.1, 1e-7, 1e21, 0.00001, 1.5e300, 1.5e-7, 1.2345678901234568e29],
        "[1.1,1e-7,1e+21,0.00001,1.5e+300,1.5e-7,1.2345678901234568e+29]",
    ),
    (
        [1e-6, 9.5e-7, -1e-5, 123456789.125, 5e-324, 1e20 + 0.5],
        "[0.000001,9.5e-7,-0.00001,123456789.125,5e-324,100000000000000000000]",
    ),
]


@pytest.mark.parametrize(("value", "text"), TEXTS)
def test_a_value_is_the_text_that_go_writes(value: Any, text: str) -> None:
    assert config_text(value) == text


@given(data)
def test_every_text_is_read_back_as_the_value(value: Any) -> None:
    assert json.loads(config_text(value)) == value
    assert not set("<>&\u2028\u2029") & set(config_text(value))


def test_the_size_is_that_of_the_variable_with_name_and_zero_byte() -> None:
    assert environment_size({}) == len("PULUMI_CONFIG={}") + 1
    assert environment_size({"a:b": "<é>"}) == len(r'PULUMI_CONFIG={"a:b":"\u003cXX\u003e"}') + 1


def filled(size: int) -> dict[str, str]:
    """A configuration that takes ``size`` bytes, most of them for deployments."""
    config = {"airunway:cluster": "{}", "airunway:deployments": ""}
    return config | {"airunway:deployments": "x" * (size - environment_size(config))}


@pytest.mark.parametrize("size", [WARN_AT, LIMIT - 1, LIMIT])
def test_a_configuration_near_the_limit_is_warned_of_and_still_starts(size: int) -> None:
    (warning,) = size_warnings(filled(size))
    assert warning.startswith(
        f"the configuration takes {size:,} bytes, most of them for airunway:deployments; with more than 131,072 "
    )
    check_size(filled(size))


def test_one_byte_less_is_not_warned_of() -> None:
    assert size_warnings(filled(WARN_AT - 1)) == []


def test_one_byte_more_than_linux_takes_is_refused_with_the_way_round() -> None:
    with pytest.raises(InputError) as raised:
        check_size(filled(LIMIT + 1))
    assert (
        str(raised.value)
        == "config: takes 131,073 bytes, most of them for airunway:deployments; with more than 131,072 Linux does not"
        " let Pulumi start the program: move entries from airunway:deployments to files that"
        " airunway:deploymentFiles names"
    )


def test_a_secret_whose_length_nobody_knows_counts_as_nothing() -> None:
    values = {
        "airunway:huggingFaceToken": "[secret] 0123456789ab",
        "a:list": '["[secret] 0123456789ab","[secret] kept"]',
    }
    assert StackConfig("airunway", "dev", values, tuple(values)).without_secrets == {
        "airunway:huggingFaceToken": "",
        "a:list": '["","[secret] kept"]',
    }

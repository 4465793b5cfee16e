"""Unit (pure): merge patches are those of RFC 7396, the patch between two values makes one of the other, and true is
not 1.
"""

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airunway.text.merge import join_patches, json_equal, merge_patch, patch_between
from airunway.text.merge import non_empty as fields_that_hold_something

scalars = st.booleans() | st.integers(-2, 2) | st.sampled_from([0.5, "", "a", "1", "true"])
without_null = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
anything = st.recursive(
    scalars | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "name"]), inner, max_size=3),
    max_leaves=8,
)
element = st.fixed_dictionaries({"name": st.sampled_from("abcd")}, optional={"x": without_null, "y": without_null})
elements = st.lists(element, max_size=4)
maps = st.dictionaries(st.sampled_from("abc"), without_null | elements, max_size=3)


def text(value: Any) -> str:
    """The value as JSON: what tells true from 1, as Python's equality does not."""
    return json.dumps(value, sort_keys=True)


@pytest.mark.parametrize(
    ("base", "change", "expected_value"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "b"}, ["c"], ["c"]),
        ({"a": "foo"}, None, None),
        ({"a": "foo"}, "bar", "bar"),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_the_examples_of_rfc_7396_appendix_a_give_what_it_says(base: Any, change: Any, expected_value: Any) -> None:
    assert merge_patch(base, change) == expected_value


@given(maps, maps)
def test_the_patch_between_two_maps_makes_the_second_of_the_first_to_the_last_type(
    old: dict[str, Any], new: dict[str, Any]
) -> None:
    patch = patch_between(old, new)
    assert text(merge_patch(old, patch, lists_by_name=True)) == text(new)
    assert (patch == {}) == (text(old) == text(new))


@given(maps, maps)
def test_a_patch_says_no_more_than_it_has_to(old: dict[str, Any], new: dict[str, Any]) -> None:
    patch = patch_between(old, new)
    for key in patch:
        rest = {k: v for k, v in patch.items() if k != key}
        assert text(merge_patch(old, rest, lists_by_name=True)) != text(new)


@given(anything, anything, st.booleans())
def test_merging_twice_is_merging_once_and_changes_neither_side(base: Any, change: Any, by_name: bool) -> None:
    before = copy.deepcopy((base, change))
    once = merge_patch(base, change, lists_by_name=by_name)
    assert text(merge_patch(once, change, lists_by_name=by_name)) == text(once)
    assert text((base, change)) == text(before)


@given(anything, anything)
def test_what_is_merged_holds_no_null_of_the_change(base: Any, change: dict[str, Any]) -> None:
    def nulls(value: Any) -> int:
        return sum(nulls(v) if v is not None else 1 for v in value.values()) if isinstance(value, dict) else 0

    assert nulls(merge_patch({}, {"x": change} if change is not None else {})) == 0
    merged = merge_patch(base, change)
    if isinstance(base, dict) and isinstance(change, dict):
        assert nulls(merged) <= nulls(base)


named = st.lists(
    st.fixed_dictionaries({"name": st.sampled_from("abc")}, optional={"value": st.integers(0, 3)}),
    max_size=3,
    unique_by=lambda entry: entry["name"],
)


@given(named, named)
def test_lists_by_name_keep_their_order_and_every_name_once(base: list[Any], change: list[Any]) -> None:
    merged = merge_patch(base, change, lists_by_name=True)
    if base and change:
        names = [e["name"] for e in merged]
        assert names == [
            *(e["name"] for e in base),
            *(e["name"] for e in change if e["name"] not in {b["name"] for b in base}),
        ]
        values = {e["name"]: e.get("value") for e in base} | {e["name"]: e["value"] for e in change if "value" in e}
        assert {e["name"]: e.get("value") for e in merged} == {name: values.get(name) for name in names}
    else:
        assert merged == change


@pytest.mark.parametrize("base", [[{"name": "a"}, {"x": 1}], [{"name": 1}], ["a"], [], "a", None])
def test_a_list_that_has_an_element_without_a_name_is_replaced(base: Any) -> None:
    assert merge_patch(base, [{"name": "a", "value": 1}], lists_by_name=True) == [{"name": "a", "value": 1}]
    assert merge_patch([{"name": "a", "value": 1}], base, lists_by_name=True) == base


@given(anything, anything)
def test_two_values_are_the_same_where_their_json_is(one: Any, other: Any) -> None:
    assert json_equal(one, other) == (text(one) == text(other))
    assert json_equal(one, copy.deepcopy(one))


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        (True, 1, False),
        (False, 0, False),
        (1, 1.0, True),
        (None, False, False),
        ([1], [True], False),
        ({"a": 0}, {"a": False}, False),
    ],
)
def test_true_is_not_1(one: Any, other: Any, equal: bool) -> None:
    assert json_equal(one, other) is json_equal(other, one) is equal
    assert (patch_between({"x": one}, {"x": other}) == {}) is equal


@given(st.dictionaries(st.sampled_from("abcd"), anything))
def test_fields_that_hold_nothing_are_left_out_and_0_and_false_are_something(fields: dict[str, Any]) -> None:
    remaining = fields_that_hold_something(**fields)
    assert all(text(remaining[name]) == text(fields[name]) for name in remaining)
    assert {text(fields[name]) for name in set(fields) - set(remaining)} <= {"null", "{}", "[]", '""'}
    assert not {text(value) for value in remaining.values()} & {"null", "{}", "[]", '""'}


GROUPS = [{"groupName": "g", "a": 1}]
CONTAINERS = [{"name": "model", "image": "a"}, {"name": "side", "image": "b"}]


@pytest.mark.parametrize(
    ("field", "base", "change", "expected"),
    [
        ("containers", CONTAINERS, [{"name": "side", "$patch": "delete"}], CONTAINERS[:1]),
        ("containers", CONTAINERS, [{"$patch": "replace"}, {"name": "mine"}], [{"name": "mine"}]),
        ("containers", CONTAINERS, [], []),
        ("containers", CONTAINERS, [{"name": "new", "x": None}], [*CONTAINERS, {"name": "new"}]),
        ("workerGroupSpecs", GROUPS, [{"groupName": "g", "b": 2}], [{"groupName": "g", "a": 1, "b": 2}]),
        (
            "volumeMounts",
            [{"name": "v", "mountPath": "/a"}],
            [{"name": "v", "mountPath": "/b"}],
            [{"name": "v", "mountPath": "/a"}, {"name": "v", "mountPath": "/b"}],
        ),
    ],
)  # fmt: skip
def test_elements_are_told_apart_by_the_key_of_their_list(field: str, base: Any, change: Any, expected: Any) -> None:
    assert merge_patch({field: base}, {field: change}, lists_by_name=True) == {field: expected}


@pytest.mark.parametrize(
    ("first", "second", "expected_value"),
    [
        (None, {"a": None}, {"a": None}),
        ({"a": None}, {"b": 1}, {"a": None, "b": 1}),
        ({"l": [{"name": "a", "x": 1}]}, {"l": [{"name": "b"}]}, {"l": [{"name": "a", "x": 1}, {"name": "b"}]}),
        ({"l": [{"name": "a", "x": 1}]}, {"l": [{"name": "a", "y": None}]}, {"l": [{"name": "a", "x": 1, "y": None}]}),
        (
            {"l": [{"name": "a", "$patch": "delete"}]},
            {"l": [{"name": "b"}]},
            {"l": [{"name": "a", "$patch": "delete"}, {"name": "b"}]},
        ),
        ({"l": [{"name": "a", "$patch": "delete"}]}, {"l": [{"name": "a", "x": 1}]}, {"l": [{"name": "a", "x": 1}]}),
        ({"l": [{"name": "a"}]}, {"l": [{"$patch": "replace"}, {"name": "b"}]}, None),
        ({"l": [{"name": "a"}]}, {"l": [1]}, None),
    ],
)
def test_two_patches_are_joined_to_one(first: Any, second: Any, expected_value: Any) -> None:
    assert join_patches(first, second) == (second if expected_value is None else expected_value)

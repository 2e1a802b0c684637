"""How deep JSON nests, however it is cut into pieces."""

import json
from itertools import pairwise
from typing import Any

import pytest
from companies.nesting import Nesting
from hypothesis import example, given
from hypothesis import strategies as st


def depth(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max((depth(each) for each in value.values()), default=0)
    if isinstance(value, list):
        return 1 + max((depth(each) for each in value), default=0)
    return 0


def told(data: bytes, *cuts: int) -> int:
    nesting, places = Nesting(), sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    pieces = [data[start:end] for start, end in pairwise(places)]
    return max((nesting.deepest(piece) for piece in pieces), default=0)


TEXTS = st.text(alphabet='ab"\\[]{}:,\n\u00e4/', max_size=8)
VALUES = st.recursive(
    st.none() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)


@given(VALUES, st.lists(st.integers(0, 1_000), max_size=12), st.booleans(), st.sampled_from([None, 1]))
@example(["\\", "[[["], [3, 4], True, None)
@example(['"', "]]]", "[", {'"': "{"}], list(range(40)), False, None)
def test_it_is_as_deep_as_it_is(value: Any, cuts: list[int], escaped: bool, indent: int | None):
    data = json.dumps(value, ensure_ascii=escaped, indent=indent).encode()
    assert told(data, *cuts) == depth(value)
    assert told(data, *range(len(data))) == depth(value)


@pytest.mark.parametrize(
    ("data", "deepest"),
    [
        (b"", 0),
        (b"1", 0),
        (b'"[[["', 0),
        (b"[" * 9, 9),
        (b'["a\\"[[[", [2]]', 2),
        (b'{"a": "\\\\"}[[', 2),
        (b"[][][]", 1),
    ],
)
def test_what_stands_in_texts_does_not_count(data: bytes, deepest: int):
    assert told(data) == deepest

"""Keys of links: nobody guesses one, and what is kept opens nothing."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tyrsky.links import digest, new_key, opens


def test_a_key_opens_what_its_digest_is_kept_of():
    key = new_key()
    assert re.fullmatch(r"[A-Za-z0-9_-]{22}", key)
    assert opens(key, digest(key))
    assert len({new_key() for _ in range(100)}) == 100


@given(st.text(st.characters(codec=None), max_size=50))
def test_nothing_else_does(other: str):
    key = new_key()
    assert not opens(other, digest(key))


@pytest.mark.parametrize("key", ["", new_key()], ids=["none", "a key"])
def test_where_no_digest_is_kept_no_key_opens(key: str):
    assert not opens(key, None)
    assert not opens(digest(key), digest(key))

"""Business ids, and what the register is searched by."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from companies.register import SEARCH_KEYS_MAX, fold, name_begins, parse_business_id, search_keys
from companies.testing import business_id
from tyrsky.aggregate import Rejected

# Real ids stand beside the project; a clone that stands alone has the made-up ones.
FACTS = Path(__file__).parents[4] / "shared" / "data" / "ytunnus_vectors.json"
VECTORS: list[dict[str, Any]] = json.loads(FACTS.read_text("utf-8"))["vectors"] if FACTS.exists() else []

VALID = ["0100130-4", *(business_id(number) for number in range(20)), *(v["value"] for v in VECTORS if v["valid"])]
INVALID = [
    "0100130-5",
    "1000008-0",
    "",
    "not an id",
    "０１００１３０-4",
    *(v["value"] for v in VECTORS if not v["valid"]),
]


@pytest.mark.parametrize("text", VALID)
def test_a_business_id_with_its_check_digit_is_one(text: str):
    assert parse_business_id(text) == text


@pytest.mark.parametrize("text", [*INVALID, *(v["value"] for v in VECTORS if not v["valid"])])
def test_any_other_text_is_none(text: str):
    with pytest.raises(Rejected) as refusal:
        parse_business_id(text)
    assert (refusal.value.code, refusal.value.field) == ("business-id-check-digit", "business_id")


@pytest.mark.parametrize("pasted", ["01001304", "FI01001304", " 0100130-4 ", "fi 0100130-4"])
def test_a_business_id_may_be_pasted_as_it_is_found(pasted: str):
    assert parse_business_id(pasted) == "0100130-4"


def test_made_up_ids_differ():
    assert len({business_id(number) for number in range(1000)}) == 1000


def test_folding_forgives_haste():
    assert fold("Hämeenlinnan  ÅLAND & Söner, Café!") == "hameenlinnan aland soner cafe"


def finds(typed: str, *names: str) -> bool:
    pattern = name_begins(typed)["$regex"]
    return any(re.search(pattern, key) for key in search_keys(names))


@pytest.mark.parametrize("typed", ["oy eniro", "Eniro", "eniro fin", "finl", "ÄÄNI", "aani"])
def test_a_name_is_found_by_the_beginning_of_any_of_its_words(typed: str):
    assert finds(typed, "Oy Eniro Finland Ab", "Ääni")


@pytest.mark.parametrize("typed", ["niro", "eniro ab", "e.*o", "finland|abc"])
def test_neither_the_middle_of_a_word_nor_a_pattern_finds_it(typed: str):
    assert not finds(typed, "Oy Eniro Finland Ab")


@pytest.mark.parametrize("typed", ["😀😀", ".*(", "\0\0", "  ", "\u0301\u0301"])
def test_signs_alone_are_no_search(typed: str):
    with pytest.raises(Rejected) as refusal:
        name_begins(typed)
    assert (refusal.value.code, refusal.value.field) == ("name-without-letters", "name")


def test_the_keys_of_a_company_have_a_limit():
    assert len(search_keys(f"yksi kaksi kolme {number}" for number in range(500))) == SEARCH_KEYS_MAX

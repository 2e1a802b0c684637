"""One person's address has one hash, however it is written; and nobody comes from the hash to the address."""

import hmac
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tyrsky_contracts.addresses import AddressHashes, one_spelling

PEPPER = "an-example-of-a-pepper-that-nobody-uses"
OTHER = "another-pepper-that-is-used-by-nobody"

SPELLINGS = {
    "email:aino@kahvila.example": ["aino@kahvila.example", " Aino@Kahvila.Example ", "AINO@KAHVILA.EXAMPLE"],
    "email:aino@xn--hmeenlinna-q5a.example": ["aino@hämeenlinna.example", "Aino@HÄMEENLINNA.example"],
    "email:aino+tyo@kahvila.example": ["aino+tyo@kahvila.example"],
    "phone:+358401234567": [
        *("040 123 4567", "0401234567", "040-123 4567", "+358 40 123 4567", "+358 (0)40 1234567"),
        *("00358 40 1234567", "(040) 123 4567"),
    ],
    "phone:+46701234567": ["+46 70 123 45 67", "0046701234567"],
}


@pytest.mark.parametrize(("one", "written"), [(one, text) for one, texts in SPELLINGS.items() for text in texts])
def test_an_address_has_one_spelling(one: str, written: str):
    assert one_spelling(written) == one


def test_another_deployment_comes_to_the_same_hash():
    """The bytes that are written down in decision 70: who has no Python comes to them too."""
    here = AddressHashes([PEPPER]).of("Ohjaaja@Esimerkki.example")
    assert here == hmac.new(PEPPER.encode(), b"email:ohjaaja@esimerkki.example", sha256).hexdigest()
    assert here == "8b582805d613bcc1cd9a725110bb85bec733d76dae728fd28360e0059928cdca"


def test_who_has_another_pepper_comes_to_another_hash():
    assert AddressHashes([PEPPER]).of("aino@x.example") != AddressHashes([OTHER]).of("aino@x.example")


def test_what_was_told_with_the_pepper_before_is_known_and_new_is_told_with_the_new_one():
    before, now = AddressHashes([PEPPER]), AddressHashes([OTHER, PEPPER])
    assert before.of("aino@x.example") in now.known_as("aino@x.example")
    assert now.of("aino@x.example") == AddressHashes([OTHER]).of("aino@x.example")


@pytest.mark.parametrize("peppers", [[], [""], ["short"], [PEPPER, "short"]])
def test_a_pepper_that_could_be_guessed_is_none(peppers: list[str]):
    with pytest.raises(ValueError, match="32 characters"):
        AddressHashes(peppers)


@given(st.text(max_size=300))
def test_whatever_is_written_has_one_spelling_and_that_is_its_own(text: str):
    once = one_spelling(text)
    assert one_spelling(once.partition(":")[2]) == once or "@" not in text

"""What is handed over to a person is said in words, and nothing that is remembered of them is left out."""

from companies.api.export_words import LABELS, NOTICE, VALUES
from companies.api.exporting import MENTIONS, PERSON
from companies.contact_state import Contact

SEARCHED_BY = {"name_keys", "found_by"}
OURS = {"company_id", "copies_due", "copies_looked_for", "due_at"}


def test_whatever_is_shown_has_a_word_in_each_language():
    shown = {*PERSON, *(name for mention in MENTIONS.values() for name in mention.shown)}
    assert shown == LABELS.keys()
    for words in (NOTICE, *LABELS.values(), *VALUES.values()):
        assert words.keys() == {"fi", "sv", "en"}
        assert all(words.values())


def test_whatever_is_remembered_of_a_person_is_shown():
    assert Contact.model_fields.keys() - SEARCHED_BY - OURS <= {*PERSON}

"""The local stack's mail server, which keeps all mails in memory and answers all the same."""

import gc
from collections.abc import Iterator

import pytest

from deploy.local.mailbox_server import keep


@pytest.fixture
def keeping() -> Iterator[None]:
    gc.disable()  # none but those of the test
    gc.callbacks.append(keep)
    yield
    gc.callbacks.remove(keep)
    gc.unfreeze()
    gc.enable()


def looked_at(those: list[list[int]]) -> int:
    """How many of them a collection would look at."""
    found = {id(each) for each in gc.get_objects()}
    return sum(id(each) in found for each in those)


@pytest.mark.usefixtures("keeping")
def test_what_is_kept_is_not_looked_at_again_by_each_full_collection():
    mails = [[number] for number in range(10_000)]
    gc.collect()
    assert looked_at(mails) == 0


@pytest.mark.usefixtures("keeping")
def test_a_small_collection_keeps_nothing():
    mails = [[number] for number in range(10_000)]
    gc.collect(0)
    gc.collect(1)
    assert looked_at(mails) == len(mails)

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


@pytest.mark.usefixtures("keeping")
def test_what_is_kept_is_not_looked_at_again_by_each_full_collection():
    before = gc.get_freeze_count()
    mails = [[number] for number in range(10_000)]
    gc.collect()
    assert gc.get_freeze_count() >= before + len(mails)
    assert len(gc.get_objects()) < len(mails)


@pytest.mark.usefixtures("keeping")
def test_a_small_collection_keeps_nothing():
    gc.collect()
    before = gc.get_freeze_count()
    mails = [[number] for number in range(10_000)]
    gc.collect(0)
    gc.collect(1)
    assert gc.get_freeze_count() == before
    assert len(mails) == 10_000

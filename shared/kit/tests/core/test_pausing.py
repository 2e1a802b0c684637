import pytest
from tyrsky import pausing
from tyrsky.pausing import Pauses, Resting

PAUSES = Pauses(first_seconds=10, longest_seconds=60)


def test_each_pause_is_about_twice_the_one_before_up_to_a_limit():
    for attempt, longest in [(1, 10), (2, 20), (3, 40), (4, 60), (10_000, 60)]:
        pauses = [PAUSES.after(attempt).total_seconds() for _ in range(100)]
        assert min(pauses) >= longest / 2
        assert max(pauses) <= longest
        assert len(set(pauses)) > 50, "those who failed together would come back together"


def test_what_broke_off_rests_longer_each_time_until_an_attempt_comes_to_its_end(monkeypatch: pytest.MonkeyPatch):
    clock = [1_000.0]
    monkeypatch.setattr(pausing.time, "monotonic", lambda: clock[0])
    resting = Resting(PAUSES)

    def rests_after(seconds: float) -> bool:
        clock[0] += seconds
        return "x" in resting.now()

    assert not rests_after(0)
    assert resting.begin("x")
    assert (rests_after(4.9), rests_after(5.2)) == (True, False)
    assert resting.begin("x")
    assert (rests_after(9.9), rests_after(10.2)) == (True, False)
    resting.forget("x")
    assert resting.begin("x")
    assert (rests_after(4.9), rests_after(5.2)) == (True, False)


def test_there_is_an_end_to_what_is_remembered(monkeypatch: pytest.MonkeyPatch):
    clock = [1_000.0]
    monkeypatch.setattr(pausing.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(pausing, "RESTING_MAX", 2)
    resting = Resting(PAUSES)
    assert [resting.begin(id) for id in ("a", "b", "c", "a")] == [True, True, False, True]
    clock[0] += 200  # longer than any pause: nobody tried them again
    assert resting.now() == []
    assert resting.begin("c")

"""Who ended by itself is told of, whoever started it again; who was killed or stopped by the rig is not."""

from tests.faults.endings import unexplained

LOG = """\
2026-11-23 14:25:01,123 INFO spawned: 'companies' with pid 11
2026-11-23 14:25:01,200 INFO spawned: 'seats' with pid 12
2026-11-23 14:25:04,123 INFO success: companies entered RUNNING state, process has stayed up for > than 3 seconds
2026-11-23 14:25:09,123 WARN exited: companies (terminated by SIGKILL; not expected)
2026-11-23 14:25:10,123 INFO spawned: 'companies' with pid 13
2026-11-23 14:25:11,000 INFO waiting for seats to stop
2026-11-23 14:25:11,123 INFO stopped: seats (exit status 0)
2026-11-23 14:25:12,123 INFO exited: companies (exit status 0; expected)
"""


def test_who_was_killed_or_stopped_did_not_end_by_itself():
    assert unexplained(LOG, {11, 13}) == []


def test_who_ended_after_its_predecessor_was_killed_ended_by_itself():
    assert unexplained(LOG, {11}) == ["companies ended at 2026-11-23 14:25:12 (exit status 0)"]


def test_a_death_that_the_rig_did_not_bring_is_told():
    assert unexplained(LOG, {13}) == ["companies ended at 2026-11-23 14:25:09 (terminated by SIGKILL)"]


KILLED = """\
2026-11-23 14:25:01,200 INFO spawned: 'seats' with pid 12
2026-11-23 14:25:11,000 INFO waiting for seats to stop
2026-11-23 14:26:16,001 WARN killing 'seats' (12) with SIGKILL
2026-11-23 14:26:16,123 WARN stopped: seats (terminated by SIGKILL)
2026-11-23 14:26:17,200 INFO spawned: 'seats' with pid 13
2026-11-23 14:26:27,000 INFO stopped: seats (terminated by SIGTERM)
"""


def test_who_has_to_be_killed_to_stop_is_told_unless_the_rig_brought_it():
    assert unexplained(KILLED, set()) == ["seats had to be killed to stop at 2026-11-23 14:26:16"]
    assert unexplained(KILLED, {12}) == []

"""Processes that ended by themselves, or would not end when they were asked to: supervisord starts the ones again and
kills the others, and nobody would see it."""

import re
from collections.abc import Collection

SPAWNED = re.compile(r"spawned: '(?P<part>[^']+)' with pid (?P<pid>\d+)$")
EXITED = re.compile(r"^(?P<when>\S+ [\d:]+).* exited: (?P<part>\S+) \((?P<cause>[^;)]*)")
KILLED = re.compile(r"^(?P<when>\S+ [\d:]+).* killing '(?P<part>[^']+)' \((?P<pid>\d+)\) with SIGKILL$")
"""Supervisord's, when a process is still there long after it was asked to stop. That is logged as a stop like any."""


def unexplained(log: str, explained: Collection[int]) -> list[str]:
    """Each end of a process in supervisord's log that nobody asked for, and each that had to be forced: ``explained``
    are the processes that the rig killed, or took what they need from."""
    pids, found = dict[str, int](), list[str]()
    for line in log.splitlines():
        if spawned := SPAWNED.search(line):
            pids[spawned["part"]] = int(spawned["pid"])
        elif (exited := EXITED.search(line)) and pids.get(exited["part"]) not in explained:
            found.append(f"{exited['part']} ended at {exited['when']} ({exited['cause']})")
        elif (killed := KILLED.search(line)) and int(killed["pid"]) not in explained:
            found.append(f"{killed['part']} had to be killed to stop at {killed['when']}")
    return found

"""Processes that ended by themselves: supervisord starts them again, and nobody would see it."""

import re
from collections.abc import Collection

SPAWNED = re.compile(r"spawned: '(?P<part>[^']+)' with pid (?P<pid>\d+)$")
EXITED = re.compile(r"^(?P<when>\S+ [\d:]+).* exited: (?P<part>\S+) \((?P<cause>[^;)]*)")


def unexplained(log: str, explained: Collection[int]) -> list[str]:
    """Each end of a process in supervisord's log that nobody asked for: ``explained`` are the processes that the rig
    killed, or took what they need from."""
    pids, found = dict[str, int](), list[str]()
    for line in log.splitlines():
        if spawned := SPAWNED.search(line):
            pids[spawned["part"]] = int(spawned["pid"])
        elif (exited := EXITED.search(line)) and pids.get(exited["part"]) not in explained:
            found.append(f"{exited['part']} ended at {exited['when']} ({exited['cause']})")
    return found

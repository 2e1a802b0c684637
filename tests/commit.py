"""Which code a report is about."""

import subprocess

from deploy.local.stack import ROOT


def current_commit() -> str:
    """The commit whose code is run, and whether something was changed since; pages written by runs do not count."""
    try:
        head = _git("rev-parse", "--short", "HEAD")
        changed = _git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!docs")
    except (OSError, subprocess.CalledProcessError):  # a copy without its history
        return "unknown"
    return f"{head} and changes" if changed else head


def _git(*asked: str) -> str:
    told = subprocess.run(["git", *asked], cwd=ROOT, check=True, capture_output=True, text=True)
    return told.stdout.strip()

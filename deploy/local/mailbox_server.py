"""The local stack's mail server, as :mod:`deploy.local.mailbox` starts it: mail_devel, which does not stand still.

It keeps every mail in memory, as many small objects. A full collection of garbage looks at all of them while nothing is
answered: with twenty thousand mails it was seen to take two to ten seconds, longer than a sender waits.
"""

import gc
import sys
from collections.abc import Mapping

OLDEST = 2


def keep(phase: str, about: Mapping[str, int]) -> None:
    """What a full collection leaves is looked at no more: it is mail, and stays."""
    if phase == "stop" and about["generation"] == OLDEST:
        gc.freeze()


if __name__ == "__main__":
    from mail_devel.__main__ import main  # here, for to import it is to change how this process logs

    gc.callbacks.append(keep)
    sys.exit(main())

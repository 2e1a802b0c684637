"""Links that are their own proof: whoever has the key may do what the link is for, without a log-in.

The key is chance of 128 bits and told once. What is kept is its digest: who reads the store can open nothing with it.
(A key that nobody can guess needs no slow hash.)
"""

import hashlib
import hmac
import secrets


def new_key() -> str:
    """A key that was never given out, fit for a path."""
    return secrets.token_urlsafe(16)


def digest(key: str) -> str:
    """What is kept of a key."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def opens(key: str, kept: str | None) -> bool:
    """Whether it is the key of which ``kept`` is the digest; in the same time whatever it is."""
    return hmac.compare_digest(digest(key), kept or "") and kept is not None

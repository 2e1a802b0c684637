"""What the tests of a service are made of."""

from tyrsky.testing.given import given

__all__ = ["given"]

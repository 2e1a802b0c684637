"""What a deployment of companies may change: what every service has, and so far nothing more."""

from tyrsky import settings


class Settings(settings.Settings):
    """The companies service's settings."""

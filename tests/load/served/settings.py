"""Every service's settings, and what the load says."""

from tyrsky import settings


class Settings(settings.Settings):
    """Whose topic and groups these are."""

    bench_topic: str

"""What every service has, and what the benchmark says."""

from tyrsky import settings


class Settings(settings.Settings):
    """Without webhooks: nobody confirms anything here."""

    bench_topic: str

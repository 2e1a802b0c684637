"""The companies' settings, and what the benchmark says."""

from companies import settings


class Settings(settings.Settings):
    """As companies has them."""

    bench_topic: str
    bench_telemetry: bool = True

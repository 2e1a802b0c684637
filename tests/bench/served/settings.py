"""Every service's settings, and what the benchmark says."""

from companies import settings


class Settings(settings.Settings):
    """Whose topic it is, and whether it is told what happens."""

    bench_topic: str
    bench_telemetry: bool = True

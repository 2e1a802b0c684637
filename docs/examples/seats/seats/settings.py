"""What a deployment may change."""

from tyrsky import webhooks


class Settings(webhooks.Settings):
    """Where confirmations go, and what every service has."""

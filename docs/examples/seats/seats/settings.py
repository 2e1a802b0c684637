"""What a deployment may change: where confirmations go, and what every service has."""

from tyrsky.webhooks import Settings as Settings

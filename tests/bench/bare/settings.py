"""Where the store is."""

from tyrsky import settings

Settings = settings.Settings

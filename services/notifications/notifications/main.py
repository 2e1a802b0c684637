"""The service at a glance."""

from tyrsky.service import Service

from notifications import api, policies
from notifications.sending import Sending
from notifications.settings import Settings

settings = Settings.read()
service = Service("notifications", settings)
service.serves(api.router)
service.reacts(policies.policies)
service.sends(Sending(settings))
app = service.asgi()

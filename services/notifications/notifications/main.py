"""The service at a glance."""

from tyrsky.service import Service

from notifications import api, notification, policies
from notifications.sending import Sending
from notifications.settings import Settings

settings = Settings()  # pyright: ignore[reportCallIssue] - the environment gives the rest
service = Service("notifications", settings)
service.keeps(notification.aggregate)
service.serves(api.router)
service.reacts(policies.policies)
service.sends(Sending(settings))
app = service.asgi()

"""The service at a glance."""

from tyrsky.service import Service

from notifications import api, policies
from notifications.forgetting import Forgetting
from notifications.sending import Sending
from notifications.settings import Settings

settings = Settings.read()
service = Service("notifications", settings)
service.serves(api.router)
service.reacts(policies.policies)
service.sends(Sending(settings))
forgetting = Forgetting(service)
service.reacts(forgetting.policies)
service.prepares(forgetting.prepare)
service.runs(forgetting.run)
app = service.asgi()

"""The service at a glance."""

from tyrsky.service import Service

from notifications import api, policies
from notifications.forgetting import Forgetting
from notifications.sending import Sending
from notifications.settings import Settings
from notifications.silence import Silence

settings = Settings.read()
service = Service("notifications", settings)
service.serves(api.router)
service.reacts(policies.policies)
silence = Silence(service.database)
service.sends(Sending(settings, silence))
forgetting = Forgetting(service, silence)
service.reacts(forgetting.policies)
service.prepares(silence.prepare, forgetting.prepare)
service.runs(forgetting.run)
app = service.asgi()

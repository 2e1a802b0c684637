"""The service at a glance."""

from tyrsky.service import Service
from tyrsky.webhooks import Webhook

from seats import api, contracts, policies, room, views
from seats.settings import Settings

settings = Settings.read()
service = Service("seats", settings, own_topics=contracts.TOPICS)
service.keeps(room.aggregate)
service.projects(views.occupancy)
service.serves(api.router)
service.reacts(policies.policies)
service.sends(Webhook(settings))
app = service.asgi()

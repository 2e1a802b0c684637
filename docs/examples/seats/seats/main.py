"""The service at a glance."""

from tyrsky import dispatch_api, dispatches
from tyrsky.service import Service
from tyrsky.webhooks import Webhook

from seats import api, contracts, policies, room, views
from seats.settings import Settings

settings = Settings()  # pyright: ignore[reportCallIssue] - the environment gives the rest
service = Service("seats", settings, own_topics=contracts.TOPICS)
service.keeps(room.aggregate, dispatches.aggregate)
service.projects(views.occupancy)
service.serves(api.router, dispatch_api.router)
service.reacts(policies.policies)
service.sends(Webhook(settings))
app = service.asgi()

"""The service at a glance."""

from tyrsky.service import Service
from tyrsky.settings import Settings

from companies import api, company, contact, indexes, policies, views, visit

service = Service("companies", Settings.read())
service.keeps(company.aggregate, contact.aggregate, visit.aggregate)
service.projects(views.reach)
service.serves(api.router)
service.reacts(policies.policies)
service.prepares(lambda: indexes.prepare(service.database))
app = service.asgi()

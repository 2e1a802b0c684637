"""The service at a glance."""

from tyrsky.service import Service

from companies import api, area, company, contact, indexes, policies, views, visit
from companies.settings import Settings

service = Service("companies", Settings.read())
service.keeps(company.aggregate, contact.aggregate, visit.aggregate, area.aggregate)
service.projects(views.reach)
service.serves(api.router)
service.reacts(policies.policies)
service.prepares(lambda: indexes.prepare(service.database))
app = service.asgi()

"""The service at a glance."""

from tyrsky.service import Service
from tyrsky.settings import Settings

from companies import api, company, contact, field, indexes, note, policies, views, visit

service = Service("companies", Settings.read())
service.keeps(company.aggregate, field.aggregate, contact.aggregate, note.aggregate, visit.aggregate)
service.projects(views.reach, views.audit)
service.serves(api.router)
service.reacts(policies.policies)
service.prepares(lambda: indexes.prepare(service.database))
app = service.asgi()

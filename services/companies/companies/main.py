"""The service at a glance."""

from tyrsky.service import Service

from companies import api, company, contact, indexes, policies, views, visit
from companies.erasing import Erasing
from companies.settings import Settings

service = Service("companies", Settings.read())
service.keeps(company.aggregate, contact.aggregate, visit.aggregate)
service.projects(views.reach, views.objections)
service.serves(api.router)
service.reacts(policies.policies)
service.prepares(lambda: indexes.prepare(service.database))
service.runs(Erasing(service).run)
app = service.asgi()

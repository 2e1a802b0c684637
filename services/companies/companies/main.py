"""The service at a glance."""

from tyrsky.service import Service

from companies import api, area, company, contact, field, indexes, note, policies, priorities, reservation, views, visit
from companies.erasing import Erasing
from companies.settings import Settings

service = Service("companies", Settings.read())
service.keeps(company.aggregate, field.aggregate, contact.aggregate, note.aggregate, area.aggregate)
service.keeps(visit.aggregate, reservation.aggregate, priorities.aggregate)
service.projects(views.reach, views.reservations, views.objections, views.audit)
service.serves(api.router)
service.reacts(policies.policies)
service.prepares(lambda: indexes.prepare(service.database))
service.runs(Erasing(service).run)
app = service.asgi()

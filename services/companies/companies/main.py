"""The service at a glance."""

from tyrsky.service import Service

from companies import api, company, contact, feed, indexes, lapsing, need, policies, potential, views, visit
from companies.settings import Settings

service = Service("companies", Settings.read())
service.keeps(company.aggregate, contact.aggregate, visit.aggregate)
service.keeps(need.aggregate, potential.aggregate, feed.aggregate)
service.projects(views.reach)
service.serves(api.router)
service.reacts(policies.policies)
service.prepares(lambda: indexes.prepare(service.database))
service.runs(lambda: lapsing.run(service.deciders.of(potential.aggregate), service.settings.colleges))
app = service.asgi()

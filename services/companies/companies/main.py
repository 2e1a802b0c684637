"""The service at a glance."""

from tyrsky.service import Service

from companies import api, company, contact, indexes, policies, views, visit
from companies.settings import Settings

settings = Settings()  # pyright: ignore[reportCallIssue] - the environment gives the rest
service = Service("companies", settings)
service.keeps(company.aggregate, contact.aggregate, visit.aggregate)
service.projects(views.reach)
service.serves(api.router)
service.reacts(policies.policies)
service.prepares(lambda: indexes.prepare(service.database))
app = service.asgi()

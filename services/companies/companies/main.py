"""The service at a glance."""

from tyrsky.service import Service

from companies import (
    api,
    area,
    company,
    contact,
    feed,
    field,
    indexes,
    lapsing,
    need,
    note,
    policies,
    potential,
    priorities,
    reservation,
    views,
    visit,
)
from companies.erasing import Erasing
from companies.refreshing import Refresh, by_command
from companies.settings import Settings

settings = Settings.read()
service = Service("companies", settings)
service.keeps(company.aggregate, field.aggregate, contact.aggregate, note.aggregate, area.aggregate)
service.keeps(visit.aggregate, need.aggregate, potential.aggregate, feed.aggregate)
service.keeps(reservation.aggregate, priorities.aggregate)
service.projects(views.reach, views.reservations, views.objections, views.audit)
service.serves(api.router)
service.reacts(policies.policies)
service.prepares(lambda: indexes.prepare(service.database))
service.runs(Erasing(service).run)
service.runs(Refresh(service.database, settings, by_command(service.deciders)).run)
service.runs(lambda: lapsing.run(service.deciders.of(potential.aggregate), service.settings.colleges))
app = service.asgi()

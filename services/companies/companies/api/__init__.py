"""HTTP in, commands and queries out: one module for each thing that is asked about."""

from fastapi import APIRouter

from companies.api import (
    answers,
    areas,
    audit,
    bulk,
    calendars,
    classifications,
    companies,
    contact_rights,
    contacts,
    days,
    fields,
    mergers,
    needs,
    network,
    notes,
    outreach,
    potentials,
    recording,
    register,
    sharing,
    sheets,
    visits,
)

router = APIRouter()
for each in (
    *(register, classifications, areas),
    *(fields, bulk, sheets, companies, mergers),
    *(contacts, contact_rights, notes),
    *(visits, days, recording, answers, sharing, calendars),
    *(needs, potentials),
    *(network, outreach, audit),
):
    router.include_router(each.router)

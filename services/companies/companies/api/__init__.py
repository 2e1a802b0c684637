"""HTTP in, commands and queries out: one module for each thing that is asked about."""

from fastapi import APIRouter

from companies.api import (
    answers,
    calendars,
    companies,
    contacts,
    days,
    needs,
    potentials,
    recording,
    register,
    sharing,
    visits,
)

router = APIRouter()
for each in (
    *(register, companies, contacts),
    *(visits, days, recording, answers, sharing, calendars),
    *(needs, potentials),
):
    router.include_router(each.router)

"""HTTP in, commands and queries out: one module for each thing that is asked about."""

from fastapi import APIRouter

from companies.api import (
    audit,
    bulk,
    companies,
    contact_rights,
    contacts,
    fields,
    mergers,
    network,
    notes,
    outreach,
    register,
    sheets,
    visits,
)

router = APIRouter()
for each in (register, fields, bulk, sheets, companies, mergers, contacts, contact_rights, notes, visits):
    router.include_router(each.router)
for each in (network, outreach, audit):
    router.include_router(each.router)

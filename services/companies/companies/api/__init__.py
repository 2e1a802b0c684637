"""HTTP in, commands and queries out: one module for each thing that is asked about."""

from fastapi import APIRouter

from companies.api import (
    areas,
    audit,
    bulk,
    classifications,
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
for each in (register, classifications, areas, fields, bulk, sheets, companies, mergers, contacts, contact_rights):
    router.include_router(each.router)
for each in (notes, visits, network, outreach, audit):
    router.include_router(each.router)

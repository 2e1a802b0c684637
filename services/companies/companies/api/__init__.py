"""HTTP in, commands and queries out: one module for each thing that is asked about."""

from fastapi import APIRouter

from companies.api import audit, companies, contacts, fields, mergers, notes, register, visits

router = APIRouter()
for each in (register, fields, companies, mergers, contacts, notes, visits, audit):
    router.include_router(each.router)

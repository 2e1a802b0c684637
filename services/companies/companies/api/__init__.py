"""HTTP in, commands and queries out: one module for each thing that is asked about."""

from fastapi import APIRouter

from companies.api import companies, contact_rights, contacts, register, visits

router = APIRouter()
for each in (register.router, companies.router, contacts.router, contact_rights.router, visits.router):
    router.include_router(each)

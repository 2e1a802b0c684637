"""HTTP in, commands and queries out: one module for each thing that is asked about."""

from fastapi import APIRouter

from companies.api import areas, classifications, companies, contacts, register, visits

router = APIRouter()
for each in (register.router, classifications.router, areas.router, companies.router, contacts.router, visits.router):
    router.include_router(each)

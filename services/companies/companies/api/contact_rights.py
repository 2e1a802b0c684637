"""What a person may ask of the college: no messages, their consent taken back, all that is held on them, erasure."""

from fastapi import APIRouter, Request, Response

from companies.api.audit import Reading
from companies.api.contact_views import ContactView, Said
from companies.api.contacts import Contacts
from companies.api.exporting import Export, export
from companies.api.objections import NetworkObjections
from companies.api.words import ContactId, Staff
from companies.contact_commands import EraseContact, GiveConsent, ObjectToMessages, WithdrawConsent
from companies.problems import problems

router = APIRouter(prefix="/contacts/{contact_id}", tags=["contacts"])


@router.post(
    "/consent",
    operation_id="recordConsent",
    summary="Record a consent",
    responses=problems("contact-unknown", "contact-erased", "consent-not-later", "moment-in-the-future"),
)
async def consent(
    contact_id: ContactId, said: Said, contacts: Contacts, objections: NetworkObjections, staff: Staff
) -> ContactView:
    """Record that the person agreed to be written to. It ends an objection only when it is the later of the two, also
    of one that another college was told; for this college alone."""
    known = (await contacts.get(contact_id)).state
    command = GiveConsent(
        contact_id=contact_id,
        now=contacts.now,
        at=said.at,
        how=said.how,
        objected_in_network_at=await objections.at(known.email, known.phone),
    )
    return (await objections.seen([await contacts.handle(command, ContactView)]))[0]


@router.post(
    "/consent/withdraw",
    operation_id="withdrawConsent",
    summary="Withdraw a consent",
    responses=problems(
        "contact-unknown", "contact-erased", "consent-not-given", "withdrawn-before-given", "moment-in-the-future"
    ),
)
async def withdraw(
    contact_id: ContactId, said: Said, contacts: Contacts, objections: NetworkObjections, staff: Staff
) -> ContactView:
    """Record that the person agrees no more. Twice is once. Somebody who was known by consent alone is erased in 30
    days, unless there is another basis."""
    command = WithdrawConsent(contact_id=contact_id, now=contacts.now, at=said.at, how=said.how)
    return (await objections.seen([await contacts.handle(command, ContactView)]))[0]


@router.post(
    "/objection",
    operation_id="recordObjection",
    summary="Record an objection",
    responses=problems("contact-unknown", "contact-erased", "moment-in-the-future"),
)
async def object_to_messages(
    contact_id: ContactId, said: Said, contacts: Contacts, objections: NetworkObjections, staff: Staff
) -> ContactView:
    """Record that the person wants no messages. Every college of the network honours it, by a hash of the address.
    Nobody can take it back but the person, by a later consent. Twice is once."""
    known = (await contacts.get(contact_id)).state
    command = ObjectToMessages(
        contact_id=contact_id,
        now=contacts.now,
        at=said.at,
        how=said.how,
        hashes=objections.hashes_of(known.email, known.phone),
    )
    return (await objections.seen([await contacts.handle(command, ContactView)]))[0]


@router.post("/erase", operation_id="eraseContact", summary="Erase a contact", responses=problems("contact-unknown"))
async def erase(contact_id: ContactId, contacts: Contacts, staff: Staff) -> ContactView:
    """Erase all that is held on a person, now and for good; an objection is honoured on. The id stays, so that visits
    lead somewhere. Copies follow within minutes: answers that are remembered, invitations that wait, and what was sent.
    Twice is once."""
    return await contacts.handle(EraseContact(contact_id=contact_id, now=contacts.now), ContactView)


@router.get(
    "/export",
    operation_id="exportContact",
    summary="All that is held on a person",
    responses=problems("contact-unknown"),
)
async def export_all(
    contact_id: ContactId,
    contacts: Contacts,
    reading: Reading,
    request: Request,
    response: Response,
    staff: Staff,
) -> Export:
    """All that this service holds on a person (GDPR art. 15 and 20), with labels in their language, to be handed over.
    What is said of them in words elsewhere is not found by this: look at the notes of their company, too. What was sent
    to them, notifications knows: `GET /notifications?contact_id=`."""
    response.headers["Content-Disposition"] = f'attachment; filename="contact-{contact_id}.json"'
    contact = await contacts.get(contact_id)
    await reading.of("contact", contact_id)
    return await export(request.app.state.database, contact, contacts.now)

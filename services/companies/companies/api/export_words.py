"""The words of an export, in each language that a contact may have."""

from collections.abc import Mapping

from tyrsky_contracts.notifications import Language

Words = Mapping[Language, str]


def words(fi: str, sv: str, en: str) -> Words:
    """The same in each language."""
    return {"fi": fi, "sv": sv, "en": en}


NOTICE = words(
    "Tässä on kaikki, mitä oppilaitos on yrityspalvelussaan kirjannut sinusta. Näet perusteen, lähteen ja sen, milloin "
    "tiedot poistetaan. Voit pyytää oikaisemaan tai poistamaan tiedot ja vastustaa viestejä, ja voit valittaa "
    "tietosuojavaltuutetulle. Verkoston muut oppilaitokset eivät saa tietää, kuka olet.",
    "Här är allt som läroanstalten har antecknat om dig i sin företagstjänst. Du ser grunden, källan och när "
    "uppgifterna raderas. Du kan begära att uppgifterna rättas eller raderas och motsätta dig meddelanden, och du kan "
    "klaga hos dataombudsmannen. Nätverkets andra läroanstalter får inte veta vem du är.",
    "This is all that the college has recorded of you in its company service. You see the basis, the source, and when "
    "the data is erased. You may ask for it to be corrected or erased, object to messages, and complain to the Data "
    "Protection Ombudsman. The other colleges of the network do not learn who you are.",
)

CONTACT = words("Yhteystiedot", "Kontaktuppgifter", "Contact")
VISITS = words("Käynnit, joihin sinut on kutsuttu", "Besök som du har bjudits in till", "Visits that you were asked to")

NOTES = words("Muistiinpanot, joissa sinut on nimetty", "Anteckningar där du nämns", "Notes that name you")
POTENTIALS = words(
    "Sovitut paikat, joissa olet vastuullinen työpaikkaohjaaja",
    "Avtalade platser där du är ansvarig arbetsplatshandledare",
    "Agreed places of which you are the responsible instructor",
)

LABELS: Mapping[str, Words] = {
    "name": words("Nimi", "Namn", "Name"),
    "role": words("Rooli", "Roll", "Role"),
    "language": words("Kieli", "Språk", "Language"),
    "email": words("Sähköpostiosoite", "E-postadress", "E-mail address"),
    "phone": words("Puhelinnumero", "Telefonnummer", "Telephone number"),
    "basis": words("Käsittelyn peruste", "Grund för behandlingen", "Lawful basis"),
    "source": words("Mistä tiedot saatiin", "Varifrån uppgifterna kom", "Where the data came from"),
    "collected_on": words("Milloin ne saatiin", "När de kom", "When it came"),
    "period_ends_on": words(
        "Ohjattavan jakson päättyminen", "Den handledda periodens slut", "End of the guided period"
    ),
    "keep_until": words("Tiedot poistetaan viimeistään", "Uppgifterna raderas senast", "Erased by"),
    "addresses_until": words("Osoitteet poistetaan", "Adresserna raderas", "Addresses are erased"),
    "consent": words("Suostumus", "Samtycke", "Consent"),
    "objection": words("Viestien vastustaminen", "Motsättande av meddelanden", "Objection to messages"),
    "erased_at": words("Tiedot on poistettu", "Uppgifterna har raderats", "The data was erased"),
    "company_name": words("Yritys", "Företag", "Company"),
    "status": words("Tila", "Status", "Status"),
    "starts_at": words("Alkaa", "Börjar", "Begins"),
    "ends_at": words("Päättyy", "Slutar", "Ends"),
    "answered_at": words("Vastattu", "Besvarat", "Answered"),
    "answer_words": words("Vastauksen sanat", "Svarets ord", "Words of the answer"),
    "notes": words("Muistiinpanot", "Anteckningar", "Notes"),
    "kind": words("Laji", "Slag", "Kind"),
    "at": words("Milloin", "När", "When"),
    "text": words("Teksti", "Text", "Text"),
    "form": words("Muoto", "Form", "Form"),
    "field_of_study": words("Koulutusala", "Utbildningsområde", "Field of study"),
    "agreed_places": words("Sovittuja paikkoja", "Avtalade platser", "Places agreed upon"),
    "agreed_on": words("Sovittu", "Avtalat", "Agreed on"),
}

VALUES: Mapping[tuple[str, str], Words] = {
    ("role", "workplace-instructor"): words("työpaikkaohjaaja", "arbetsplatshandledare", "workplace instructor"),
    ("role", "decision-maker"): words("päättäjä", "beslutsfattare", "decision maker"),
    ("role", "other"): words("muu", "annan", "other"),
    ("language", "fi"): words("suomi", "finska", "Finnish"),
    ("language", "sv"): words("ruotsi", "svenska", "Swedish"),
    ("language", "en"): words("englanti", "engelska", "English"),
    ("basis", "public-task"): words("yleinen etu, julkinen tehtävä", "allmänt intresse", "public task"),
    ("basis", "legitimate-interest"): words("oikeutettu etu", "berättigat intresse", "legitimate interest"),
    ("basis", "consent"): words("suostumus", "samtycke", "consent"),
    ("basis", "contract"): words("sopimus", "avtal", "contract"),
    ("basis", "legal-obligation"): words("lakisääteinen velvoite", "rättslig förpliktelse", "legal obligation"),
    ("source", "person-itself"): words("sinulta itseltäsi", "av dig själv", "from yourself"),
    ("source", "company-itself"): words("yritykseltä", "av företaget", "from the company"),
    ("source", "register"): words("rekisteristä", "ur ett register", "from a register"),
    ("source", "website"): words("verkkosivuilta", "från en webbplats", "from a website"),
    ("source", "event"): words("tapahtumasta", "från ett evenemang", "from an event"),
    ("source", "survey"): words("kyselystä", "ur en enkät", "from a survey"),
    ("source", "colleague"): words("työtoveriltasi", "av en kollega till dig", "from a colleague of yours"),
    ("source", "other"): words("muualta", "annanstans ifrån", "from elsewhere"),
    ("status", "planned"): words("suunniteltu", "planerat", "planned"),
    ("status", "confirmed"): words("vahvistettu", "bekräftat", "confirmed"),
    ("status", "declined"): words("torjuttu", "avböjt", "declined"),
    ("status", "cancelled"): words("peruttu", "inställt", "cancelled"),
    ("kind", "note"): words("muistiinpano", "anteckning", "note"),
    ("kind", "call"): words("puhelu", "samtal", "call"),
    ("kind", "e-mail"): words("sähköposti", "e-post", "e-mail"),
    ("kind", "meeting"): words("tapaaminen", "möte", "meeting"),
    ("form", "apprenticeship"): words("oppisopimus", "läroavtal", "apprenticeship"),
    ("form", "training-agreement"): words("koulutussopimus", "utbildningsavtal", "training agreement"),
    ("status", "recorded"): words("tehty", "genomfört", "made"),
}

"""Refusals about people at companies."""

from tyrsky.catalogue import Problem, declare

declare(
    Problem(
        "contact-unknown",
        404,
        fi="Yhteyshenkilöä ei ole. Hae yrityksen yhteyshenkilöt uudelleen.",
        sv="Kontaktpersonen finns inte. Hämta företagets kontaktpersoner på nytt.",
        en="There is no such contact. Get the company's contacts again.",
    ),
    Problem(
        "contact-already-added",
        409,
        fi="Yhteyshenkilö on jo lisätty. Muuta hänen tietojaan lisäämisen sijaan.",
        sv="Kontaktpersonen har redan lagts till. Ändra uppgifterna i stället.",
        en="The contact was added already. Change it instead.",
    ),
    Problem(
        "contact-unreachable",
        422,
        fi="Yhteyshenkilölle tarvitaan sähköpostiosoite tai puhelinnumero. Anna ainakin toinen.",
        sv="Kontaktpersonen behöver en e-postadress eller ett telefonnummer. Ange åtminstone det ena.",
        en="A contact needs an e-mail address or a telephone number. Give at least one of them.",
    ),
    Problem(
        "contact-of-another-company",
        422,
        fi="Yhteyshenkilö on toisesta yrityksestä. Valitse joku tämän yrityksen yhteyshenkilöistä.",
        sv="Kontaktpersonen hör till ett annat företag. Välj någon av det här företagets kontaktpersoner.",
        en="The contact is at another company. Choose one of this company's contacts.",
    ),
    Problem(
        "person-name-wrong",
        422,
        fi="Kirjoita nimi yhdelle riville, ilman ohjausmerkkejä.",
        sv="Skriv namnet på en rad, utan styrtecken.",
        en="Write the name on one line, without control characters.",
    ),
    Problem(
        "phone-number-wrong",
        422,
        fi="Anna puhelinnumero numeroin, esimerkiksi 040 123 4567 tai +358 40 123 4567.",
        sv="Ange telefonnumret med siffror, till exempel 040 123 4567 eller +358 40 123 4567.",
        en="Give the telephone number in digits, such as 040 123 4567 or +358 40 123 4567.",
    ),
)

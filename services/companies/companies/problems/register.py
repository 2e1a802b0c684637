"""Refusals about the business register."""

from tyrsky.catalogue import Problem, declare

declare(
    Problem(
        "business-id-check-digit",
        422,
        fi="Y-tunnuksen tarkistusnumero ei täsmää. Tarkista tunnus: seitsemän numeroa, viiva ja tarkistusnumero.",
        sv="FO-numrets kontrollsiffra stämmer inte. Kontrollera numret: sju siffror, bindestreck och kontrollsiffra.",
        en="The check digit of the business id is wrong. Look at the id again: seven digits, a dash, a check digit.",
    ),
    Problem(
        "business-id-not-in-register",
        422,
        fi="Y-tunnusta ei ole yritysrekisterissä. Jos se on oikein, pyydä ylläpitäjää päivittämään rekisteri.",
        sv="FO-numret finns inte i företagsregistret. Om det är rätt, be administratören uppdatera registret.",
        en="The business id is not in the register. If it is right, ask an administrator to update the register.",
    ),
    Problem(
        "name-without-letters",
        422,
        fi="Nimessä ei ole kirjaimia eikä numeroita. Kirjoita, miten jokin yrityksen nimen sana alkaa.",
        sv="Namnet har varken bokstäver eller siffror. Skriv hur något ord i företagets namn börjar.",
        en="The name has neither letters nor digits. Type how a word of the company's name begins.",
    ),
    Problem(
        "register-entry-unknown",
        404,
        fi="Y-tunnusta ei ole yritysrekisterissä. Hae yritystä nimellä.",
        sv="FO-numret finns inte i företagsregistret. Sök företaget med dess namn.",
        en="The business id is not in the register. Search for the company by its name.",
    ),
    Problem(
        "municipality-code-wrong",
        422,
        fi="Anna kunnan numero kolmella numerolla, esimerkiksi 908 (Valkeakoski).",
        sv="Ange kommunens nummer med tre siffror, till exempel 908 (Valkeakoski).",
        en="Give the municipality's number in three digits, such as 908 (Valkeakoski).",
    ),
    Problem(
        "business-line-wrong",
        422,
        fi="Anna toimialakoodi, 2–5 numeroa, esimerkiksi 56 tai 56300.",
        sv="Ange näringsgrenskoden med 2–5 siffror, till exempel 56 eller 56300.",
        en="Give the code of the line of business in 2 to 5 digits, such as 56 or 56300.",
    ),
)

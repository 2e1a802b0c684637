"""Refusals about companies in a college's care."""

from tyrsky.catalogue import Problem, declare

declare(
    Problem(
        "company-ceased",
        422,
        fi="Yritys on lopettanut toimintansa. Etsi rekisteristä yritys, joka jatkaa sen työtä.",
        sv="Företaget har upphört. Sök i registret efter ett företag som fortsätter dess verksamhet.",
        en="The company has ceased. Look in the register for one that carries on its work.",
    ),
    Problem(
        "company-already-registered",
        409,
        fi="Yritys on jo oppilaitoksesi yritysten joukossa. Avaa se tunnisteella, joka on kohdassa company_id.",
        sv="Företaget finns redan bland läroanstaltens företag. Öppna det med det id som står i company_id.",
        en="The company is in your college's care already. Open it by the id that company_id gives.",
    ),
    Problem(
        "company-unknown",
        404,
        fi="Yritystä ei ole oppilaitoksesi yritysten joukossa. Hae se rekisteristä ja ota se mukaan.",
        sv="Företaget finns inte bland läroanstaltens företag. Sök det i registret och ta med det.",
        en="There is no such company in your college's care. Find it in the register and register it first.",
    ),
    Problem(
        "tag-wrong",
        422,
        fi="Kirjoita avainsana yhdelle riville, ilman @-merkkiä: se ei kerro kenestäkään ihmisestä.",
        sv="Skriv etiketten på en rad, utan tecknet @: den berättar inte om någon människa.",
        en="Write the label on one line, without an @: it is never about a person.",
    ),
    Problem(
        "business-id-in-register",
        422,
        fi="Y-tunnus on yritysrekisterissä. Ota yritys mukaan rekisteristä: anna pelkkä Y-tunnus.",
        sv="FO-numret finns i företagsregistret. Ta med företaget därifrån: ange bara FO-numret.",
        en="The business id is in the register. Take the company from there: give its business id alone.",
    ),
    Problem(
        "company-name-wrong",
        422,
        fi="Kirjoita yrityksen nimi yhdelle riville, ilman ohjausmerkkejä.",
        sv="Skriv företagets namn på en rad, utan styrtecken.",
        en="Write the company's name on one line, without control characters.",
    ),
    Problem(
        "company-name-from-register",
        422,
        fi="Yrityksen nimi tulee yritysrekisteristä. Sitä ei muuteta täällä.",
        sv="Företagets namn kommer från företagsregistret. Det ändras inte här.",
        en="The company's name comes from the business register. It is not changed here.",
    ),
    Problem(
        "company-merged",
        409,
        fi="Yritys on yhdistetty toiseen. Avaa se yritys, jonka tunniste on kohdassa into.",
        sv="Företaget har slagits ihop med ett annat. Öppna det företag vars id står i into.",
        en="The company was merged with another one. Open the one whose id is in into.",
    ),
    Problem(
        "company-is-the-same",
        422,
        fi="Yritystä ei voi yhdistää itseensä. Anna toisen yrityksen tunniste.",
        sv="Ett företag kan inte slås ihop med sig självt. Ange det andra företagets id.",
        en="A company cannot be merged with itself. Give the other company's id.",
    ),
    Problem(
        "company-merged-otherwise",
        409,
        fi="Toinen yritys on jo yhdistetty johonkin. Peru se yhdistäminen ensin, tai yhdistä toisin päin.",
        sv="Det andra företaget har redan slagits ihop. Ångra det först, eller slå ihop åt andra hållet.",
        en="The other company was merged already. Undo that first, or merge the other way round.",
    ),
    Problem(
        "company-absorbed-many",
        409,
        fi="Yritykseen on jo yhdistetty niin monta muuta kuin voi. Tarkista, että ne todella ovat sama yritys.",
        sv="Så många företag som möjligt har redan slagits ihop med det här. Kontrollera att de verkligen är samma.",
        en="As many companies as possible were merged with this one already. See whether they really are the same.",
    ),
    Problem(
        "company-merged-long-ago",
        409,
        fi="Yhdistämisestä on yli vuorokausi, eikä sitä voi enää perua. Lisää yritys tarvittaessa uudelleen.",
        sv="Sammanslagningen är över ett dygn gammal och kan inte längre ångras. Lägg vid behov till det på nytt.",
        en="The merger is more than a day old and cannot be undone any more. If need be, add the company anew.",
    ),
)

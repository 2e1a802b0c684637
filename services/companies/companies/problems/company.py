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
)

"""How a request about notifications can be refused."""

from tyrsky.catalogue import Problem, declare

problems = declare(
    Problem(
        "notification-unknown",
        404,
        fi="Ilmoitusta ei ole.",
        sv="Meddelandet finns inte.",
        en="There is no such notification.",
    ),
    Problem(
        "notification-not-due",
        409,
        fi="Ilmoituksen lähetysvuoro ei ole nyt.",
        sv="Det är inte meddelandets tur att skickas.",
        en="It is not this notification's turn to be sent.",
    ),
)

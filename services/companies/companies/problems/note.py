"""Refusals about notes."""

from tyrsky.catalogue import Problem, declare

declare(
    Problem(
        "note-unknown",
        404,
        fi="Muistiinpanoa ei ole. Hae yrityksen muistiinpanot uudelleen.",
        sv="Anteckningen finns inte. Hämta företagets anteckningar på nytt.",
        en="There is no such note. Get the company's notes again.",
    ),
    Problem(
        "note-already-written",
        409,
        fi="Samalla tunnisteella on jo kirjoitettu toinen muistiinpano. Muuta sitä, tai anna uudelle oma tunniste.",
        sv="En annan anteckning har redan skrivits med samma id. Ändra den, eller ge den nya ett eget id.",
        en="Another note was written under this id already. Change that one, or give the new one an id of its own.",
    ),
    Problem(
        "note-empty",
        422,
        fi="Muistiinpano on tyhjä. Kirjoita jotain, tai liitä tiedosto.",
        sv="Anteckningen är tom. Skriv något, eller bifoga en fil.",
        en="The note is empty. Write something, or attach a file.",
    ),
    Problem(
        "note-in-the-future",
        422,
        fi="Ajankohta on vasta tulossa. Anna aika, jolloin olitte yhteydessä.",
        sv="Tidpunkten ligger i framtiden. Ange när ni hade kontakt.",
        en="The time is yet to come. Give the time when you were in touch.",
    ),
    Problem(
        "note-removed",
        409,
        fi="Muistiinpano on poistettu, eikä sitä voi muuttaa. Kirjoita uusi.",
        sv="Anteckningen är borttagen och kan inte ändras. Skriv en ny.",
        en="The note was removed, and cannot be changed. Write a new one.",
    ),
)

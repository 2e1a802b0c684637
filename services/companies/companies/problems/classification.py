"""Refusals about classifications."""

from tyrsky.catalogue import Problem, declare

declare(
    Problem(
        "region-unknown",
        422,
        fi="Maakuntaa ei ole kuntaluokituksessa. Anna sen numero, esimerkiksi 06 (Pirkanmaa).",
        sv="Landskapet finns inte i kommunindelningen. Ange dess nummer, till exempel 06 (Birkaland).",
        en="The region is not in the classification of municipalities. Give its number, such as 06 (Pirkanmaa).",
    ),
    Problem(
        "region-code-wrong",
        422,
        fi="Anna maakunnan numero kahdella numerolla, esimerkiksi 06 (Pirkanmaa).",
        sv="Ange landskapets nummer med två siffror, till exempel 06 (Birkaland).",
        en="Give the region's number in two digits, such as 06 (Pirkanmaa).",
    ),
    Problem(
        "text-without-letters",
        422,
        fi="Haussa ei ole kirjaimia eikä numeroita. Kirjoita, miten jokin nimen sana alkaa.",
        sv="Sökningen har varken bokstäver eller siffror. Skriv hur något ord i namnet börjar.",
        en="The search has neither letters nor digits. Type how a word of the name begins.",
    ),
)

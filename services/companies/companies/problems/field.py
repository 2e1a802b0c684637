"""Refusals about a college's own fields."""

from tyrsky.catalogue import Problem, declare

declare(
    Problem(
        "field-unknown",
        404,
        fi="Kenttää ei ole. Hae oppilaitoksen kentät ja katso, mikä niistä on käytössä.",
        sv="Fältet finns inte. Hämta läroanstaltens fält och se vilka av dem som används.",
        en="There is no such field. Get the college's fields, and see which of them are in use.",
    ),
    Problem(
        "field-already-defined",
        409,
        fi="Kenttä on jo olemassa. Muuta sitä, tai anna uudelle kentälle toinen avain.",
        sv="Fältet finns redan. Ändra det, eller ge det nya fältet en annan nyckel.",
        en="The field is there already. Change it, or give the new one another key.",
    ),
    Problem(
        "field-many",
        409,
        fi="Kenttiä on jo niin monta kuin voi. Ota jokin pois käytöstä.",
        sv="Så många fält som möjligt finns redan. Ta något ur bruk.",
        en="There are as many fields as there can be. Retire one of them.",
    ),
    Problem(
        "field-key-wrong",
        422,
        fi="Avaimessa on pieniä kirjaimia a–z, numeroita ja alaviivoja, ja se alkaa kirjaimella.",
        sv="En nyckel består av små bokstäver a–z, siffror och understreck, och börjar med en bokstav.",
        en="A key has small letters a to z, digits and underscores, and begins with a letter.",
    ),
    Problem(
        "field-choices-wrong",
        422,
        fi="Vaihtoehdot annetaan valintakentälle, ja vain sille. Anna ainakin yksi, tai jätä ne pois.",
        sv="Alternativ anges för ett valfält, och bara för ett sådant. Ange minst ett, eller utelämna dem.",
        en="Choices are for a field of kind choice or choices alone. Give one at least, or leave them out.",
    ),
    Problem(
        "field-choice-twice",
        422,
        fi="Sama vaihtoehto on kahdesti. Anna jokaiselle oma arvo.",
        sv="Samma alternativ finns två gånger. Ge varje alternativ ett eget värde.",
        en="The same choice is there twice. Give each a value of its own.",
    ),
    Problem(
        "field-choice-missing",
        422,
        fi="Vaihtoehtoa ei voi poistaa, koska se voi olla valittuna. Jätä se pois tarjolta: offered on false.",
        sv="Ett alternativ kan inte tas bort, för det kan vara valt. Erbjud det inte längre: offered är false.",
        en="A choice cannot be taken away, for it may be chosen somewhere. Stop offering it: offered is false.",
    ),
    Problem(
        "field-required",
        422,
        fi="Kenttä on pakollinen, eikä sitä voi tyhjentää. Anna sille arvo.",
        sv="Fältet är obligatoriskt och kan inte tömmas. Ge det ett värde.",
        en="The field is required, and cannot be emptied. Give it a value.",
    ),
    Problem(
        "field-value-wrong",
        422,
        fi="Arvo ei ole kentän lajia (kind) tai tarjolla. Hae oppilaitoksen kentät ja anna niiden mukainen arvo.",
        sv="Värdet är inte av fältets slag (kind), eller erbjuds inte. Hämta läroanstaltens fält och se efter.",
        en="The value is not of the field's kind, or is not offered. Get the college's fields, and see.",
    ),
    Problem(
        "field-search-wrong",
        422,
        fi="Kirjoita haku muodossa avain:arvo, avain>arvo tai avain<arvo, esimerkiksi ala:it.",
        sv="Skriv sökningen som nyckel:värde, nyckel>värde eller nyckel<värde, till exempel bransch:it.",
        en="Write the search as key:value, key>value or key<value, such as sector:it.",
    ),
)

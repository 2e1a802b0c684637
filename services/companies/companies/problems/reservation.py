"""Refusals about who gets in touch first."""

from tyrsky.catalogue import Problem, declare

declare(
    Problem(
        "contact-reserved",
        409,
        fi="Toinen oppilaitos on varannut ensimmäisen yhteydenoton. Varaus päättyy viimeistään ajankohtana until.",
        sv="En annan läroanstalt har reserverat den första kontakten. Reservationen upphör senast vid until.",
        en="Another college has reserved the first contact. Its reservation ends at until, at the latest.",
    ),
    Problem(
        "reservation-too-soon",
        409,
        fi="Oppilaitoksesi varaus päättyi äskettäin. Uuden voi tehdä aikaisintaan ajankohtana again_at.",
        sv="Läroanstaltens reservation upphörde nyligen. En ny kan göras tidigast vid again_at.",
        en="Your college's reservation ended a short time ago. A new one can be made at again_at, at the earliest.",
    ),
    Problem(
        "reservation-too-long",
        422,
        fi="Yhteydenoton voi varata 1–14 päiväksi. Anna vähemmän päiviä.",
        sv="Kontakten kan reserveras för 1–14 dagar. Ange färre dagar.",
        en="A contact can be reserved for 1 to 14 days. Give fewer days.",
    ),
    Problem(
        "reservation-not-held",
        409,
        fi="Oppilaitoksellasi ei ole varausta voimassa. Katso varauksen tila, ja varaa tarvittaessa uudelleen.",
        sv="Läroanstalten har ingen gällande reservation. Se efter hur det står till, och reservera vid behov på nytt.",
        en="Your college has no reservation that lasts. See how it stands, and reserve anew if need be.",
    ),
    Problem(
        "reservation-extended-already",
        409,
        fi="Varausta on jo jatkettu kerran. Ota yhteyttä ennen kuin se päättyy.",
        sv="Reservationen har redan förlängts en gång. Ta kontakt innan den upphör.",
        en="The reservation was extended once already. Get in touch before it ends.",
    ),
    Problem(
        "contact-reservation-unknown",
        404,
        fi="Oppilaitoksesi ei ole varannut yhteydenottoa tähän yritykseen. Varaa se ensin.",
        sv="Läroanstalten har inte reserverat kontakten med det här företaget. Reservera den först.",
        en="Your college has not reserved the contact with this company. Reserve it first.",
    ),
    Problem(
        "ranking-nowhere",
        422,
        fi="Kerro, missä yritykset ovat: kunta (municipality), maakunta (region) tai oma alue (area).",
        sv="Ange var företagen finns: kommun (municipality), landskap (region) eller eget område (area).",
        en="Say where the companies are: by municipality, region, or an area of the college's.",
    ),
    Problem(
        "ranking-too-wide",
        422,
        fi="Alueella on liikaa yrityksiä yhteen järjestykseen. Valitse vähemmän kuntia.",
        sv="Området har för många företag för en enda rangordning. Välj färre kommuner.",
        en="There are too many companies there to rank at once. Choose fewer municipalities.",
    ),
)

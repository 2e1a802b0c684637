"""Refusals about needs, potential, and what both have in common."""

from tyrsky.catalogue import Problem, declare

declare(
    Problem(
        "charted-in-the-future",
        422,
        fi="Kartoituksen aika on tulevaisuudessa. Tarkista kello ja anna aika, joka on jo ollut.",
        sv="Tiden för kartläggningen ligger i framtiden. Kontrollera klockan och ange en tid som har varit.",
        en="It was charted in the future. Look at the clock, and give a time that has been.",
    ),
    Problem(
        "charted-too-long-ago",
        422,
        fi="Kartoituksesta on yli vuosi. Kysy yritykseltä uudelleen ja kirjaa, mitä se nyt sanoo.",
        sv="Kartläggningen är över ett år gammal. Fråga företaget på nytt och anteckna vad det säger nu.",
        en="It was charted more than a year ago. Ask the company again, and chart what it says now.",
    ),
    Problem(
        "history-full",
        409,
        fi="Vaiheita on jo liian monta. Päätä tämä ja kartoita uusi.",
        sv="Skedena är redan för många. Avsluta denna och kartlägg en ny.",
        en="There are too many turns already. Close this one, and chart a new one.",
    ),
    Problem(
        "need-unknown",
        404,
        fi="Tarvetta ei ole. Hae yrityksen tarpeet uudelleen.",
        sv="Behovet finns inte. Hämta företagets behov på nytt.",
        en="There is no such need. Get the company's needs again.",
    ),
    Problem(
        "need-already-charted",
        409,
        fi="Tarve on jo kartoitettu, toisin sisällöin. Hae se ja katso, mitä siitä on kirjattu.",
        sv="Behovet har redan kartlagts, med ett annat innehåll. Hämta det och se vad som har antecknats.",
        en="The need was charted already, and otherwise. Get it and see what was charted.",
    ),
    Problem(
        "need-is-closed",
        409,
        fi="Tarve on jo päätetty. Jos yritys tarvitsee taas samaa, kartoita uusi tarve.",
        sv="Behovet är redan avslutat. Om företaget åter behöver detsamma, kartlägg ett nytt behov.",
        en="The need is closed. If the company needs the same again, chart a new one.",
    ),
    Problem(
        "need-not-offered",
        409,
        fi="Tarpeeseen ei ole vielä tarjottu mitään. Kirjaa ensin, mitä tarjottiin.",
        sv="Ingenting har ännu erbjudits för behovet. Anteckna först vad som erbjöds.",
        en="Nothing was offered for this need yet. Tell first what was offered.",
    ),
    Problem(
        "need-without-level",
        422,
        fi="Taso annetaan vain ohjausosaamisen tarpeelle. Jätä se pois.",
        sv="En nivå anges bara för behov av handledarkompetens. Lämna bort den.",
        en="Only a need of guidance competence has a level. Leave it out.",
    ),
    Problem(
        "need-id-not-free",
        422,
        fi="Käynnillä kartoitetun tarpeen tunniste seuraa käynnistä ja lajista. Jätä tunniste pois.",
        sv="Id för ett behov som kartlagts vid ett besök följer av besöket och slaget. Lämna bort det.",
        en="The id of a need that was charted on a visit follows from the visit and the kind. Leave it out.",
    ),
)

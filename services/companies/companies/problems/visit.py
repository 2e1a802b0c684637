"""Refusals about visits."""

from tyrsky.catalogue import Problem, declare

declare(
    Problem(
        "visit-unknown",
        404,
        fi="Käyntiä ei ole. Hae käynnit uudelleen.",
        sv="Besöket finns inte. Hämta besöken på nytt.",
        en="There is no such visit. Get the visits again.",
    ),
    Problem(
        "visit-already-planned",
        409,
        fi="Käynti on jo suunniteltu. Siirrä sitä suunnittelun sijaan.",
        sv="Besöket är redan planerat. Flytta det i stället.",
        en="The visit is planned already. Move it instead.",
    ),
    Problem(
        "visit-in-the-past",
        422,
        fi="Käynnin alku on menneisyydessä. Anna aika, joka on vasta tulossa.",
        sv="Besöket börjar i det förflutna. Ange en tid som ännu inte har varit.",
        en="The visit would begin in the past. Give a time that is yet to come.",
    ),
    Problem(
        "visit-too-far-ahead",
        422,
        fi="Käynti on liian kaukana. Sen voi suunnitella enintään vuoden päähän.",
        sv="Besöket ligger för långt fram. Det kan planeras högst ett år i förväg.",
        en="The visit is too far ahead. It can be planned for a year from now at most.",
    ),
    Problem(
        "visit-ends-before-it-starts",
        422,
        fi="Käynti päättyy ennen kuin se alkaa. Anna päättymisaika, joka on alkamisajan jälkeen.",
        sv="Besöket slutar innan det börjar. Ange en sluttid som är efter starttiden.",
        en="The visit would end before it begins. Give an end that is after the beginning.",
    ),
    Problem(
        "visit-too-long",
        422,
        fi="Käynti kestää yli kahdeksan tuntia. Lyhennä sitä, tai suunnittele kaksi käyntiä.",
        sv="Besöket varar längre än åtta timmar. Förkorta det, eller planera två besök.",
        en="The visit lasts longer than eight hours. Make it shorter, or plan two visits.",
    ),
    Problem(
        "visit-not-begun",
        409,
        fi="Käynti ei ole vielä alkanut. Kirjaa se, kun se on tehty.",
        sv="Besöket har inte börjat ännu. Anteckna det när det är gjort.",
        en="The visit has not begun yet. Record it when it was made.",
    ),
    Problem(
        "visit-already-recorded",
        409,
        fi="Käynti on jo kirjattu, toisin sisällöin. Hae se ja katso, mitä siitä on kirjattu.",
        sv="Besöket har redan antecknats, med ett annat innehåll. Hämta det och se vad som har antecknats.",
        en="The visit was recorded already, and otherwise. Get it and see what was recorded.",
    ),
    Problem(
        "visit-is-over",
        409,
        fi="Käynti on peruttu tai jo tehty, eikä sitä voi enää muuttaa. Suunnittele uusi käynti.",
        sv="Besöket är inställt eller redan gjort och kan inte längre ändras. Planera ett nytt besök.",
        en="The visit was cancelled or made already, and cannot be changed any more. Plan a new one.",
    ),
    Problem(
        "visit-of-another-company",
        409,
        fi="Käynti tällä tunnisteella on toisessa yrityksessä. Anna uudelle käynnille oma tunniste.",
        sv="Besöket med detta id gäller ett annat företag. Ge det nya besöket ett eget id.",
        en="The visit with this id is to another company. Give the new visit an id of its own.",
    ),
    Problem(
        "visit-too-long-ago",
        422,
        fi="Käynnistä on yli vuosi. Sen ajan voi kirjata enintään vuoden jälkikäteen.",
        sv="Besöket gjordes för över ett år sedan. Det kan antecknas högst ett år i efterhand.",
        en="The visit was made more than a year ago. It can be recorded for a year at most.",
    ),
    Problem(
        "visit-has-begun",
        409,
        fi="Käynti on jo alkanut, eikä siihen voi enää vastata. Soita tai kirjoita oppilaitokselle.",
        sv="Besöket har redan börjat och kan inte längre besvaras. Ring eller skriv till läroanstalten.",
        en="The visit has begun and cannot be answered any more. Call the college, or write to it.",
    ),
    Problem(
        "visit-answer-link-wrong",
        404,
        fi="Linkki ei ole voimassa. Jos käyntiä siirrettiin, vastaa uusimman viestin linkillä.",
        sv="Länken gäller inte. Om besöket flyttades, svara med länken i det nyaste meddelandet.",
        en="The link does not work. If the visit was moved, answer by the link in the newest message.",
    ),
    Problem(
        "answer-words-wrong",
        422,
        fi="Kirjoita viesti ilman ohjausmerkkejä.",
        sv="Skriv meddelandet utan styrtecken.",
        en="Write the message without control characters.",
    ),
)

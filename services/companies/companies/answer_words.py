"""What the page by which a company answers says, in each language."""

from tyrsky.language import Language

LANGUAGE_NAMES: dict[Language, str] = {"fi": "Suomeksi", "sv": "På svenska", "en": "In English"}

WORDS: dict[Language, dict[str, str]] = {
    "fi": {
        "title": "Vierailu yrityksessänne",
        "languages": "Kieli",
        "company": "Yritys",
        "day": "Päivä",
        "hours": "Kello",
        "zone": "Suomen aikaa",
        "manner": "Tapa",
        "manner-on-site": "Tulemme luoksenne",
        "manner-remote": "Etäyhteydellä",
        "manner-phone": "Puhelimitse",
        "words": "Viesti oppilaitokselle (ei pakollinen)",
        "hint": "Esimerkiksi toinen aika, joka sopisi. Enintään 500 merkkiä.",
        "confirm": "Aika sopii",
        "decline": "Aika ei sovi",
        "told-planned": "Sopiiko tämä aika? Vastaus on vapaaehtoinen, ja voitte muuttaa sitä vierailun alkuun asti.",
        "told-confirmed": "Kiitos! Olette vastanneet, että aika sopii. Voitte vielä muuttaa vastausta.",
        "told-declined": "Kiitos! Olette vastanneet, ettei aika sovi. Voitte vielä muuttaa vastausta.",
        "told-cancelled": "Vierailu on peruttu.",
        "told-recorded": "Vierailu on jo tehty. Kiitos!",
        "told-begun": "Vierailun aika on jo alkanut, eikä siihen voi enää vastata tässä.",
        "told-wrong-link": (
            "Linkki ei ole voimassa. Jos vierailu siirrettiin, vastatkaa uusimman viestin linkillä, "
            "tai vastatkaa saamaanne viestiin."
        ),
        "trouble-answer": "Valitkaa, sopiiko aika vai ei.",
        "trouble-words": "Viesti on liian pitkä: enintään 500 merkkiä.",
    },
    "sv": {
        "title": "Besök hos ert företag",
        "languages": "Språk",
        "company": "Företag",
        "day": "Dag",
        "hours": "Klockan",
        "zone": "finsk tid",
        "manner": "Sätt",
        "manner-on-site": "Vi kommer till er",
        "manner-remote": "På distans",
        "manner-phone": "Per telefon",
        "words": "Meddelande till läroanstalten (frivilligt)",
        "hint": "Till exempel en annan tid som skulle passa. Högst 500 tecken.",
        "confirm": "Tiden passar",
        "decline": "Tiden passar inte",
        "told-planned": "Passar den här tiden? Svaret är frivilligt, och ni kan ändra det tills besöket börjar.",
        "told-confirmed": "Tack! Ni har svarat att tiden passar. Ni kan ännu ändra svaret.",
        "told-declined": "Tack! Ni har svarat att tiden inte passar. Ni kan ännu ändra svaret.",
        "told-cancelled": "Besöket är inställt.",
        "told-recorded": "Besöket har redan gjorts. Tack!",
        "told-begun": "Besökets tid har redan börjat, och det går inte längre att svara här.",
        "told-wrong-link": (
            "Länken gäller inte. Om besöket flyttades, svara med länken i det nyaste meddelandet, "
            "eller svara på meddelandet."
        ),
        "trouble-answer": "Välj om tiden passar eller inte.",
        "trouble-words": "Meddelandet är för långt: högst 500 tecken.",
    },
    "en": {
        "title": "A visit to your company",
        "languages": "Language",
        "company": "Company",
        "day": "Day",
        "hours": "Time",
        "zone": "time in Finland",
        "manner": "How",
        "manner-on-site": "We come to you",
        "manner-remote": "By video",
        "manner-phone": "By phone",
        "words": "Message to the college (optional)",
        "hint": "Another time that would suit, for example. At most 500 characters.",
        "confirm": "The time suits",
        "decline": "The time does not suit",
        "told-planned": "Does this time suit? You need not answer, and may change your answer until the visit begins.",
        "told-confirmed": "Thank you! You have answered that the time suits. You can still change your answer.",
        "told-declined": "Thank you! You have answered that the time does not suit. You can still change your answer.",
        "told-cancelled": "The visit is cancelled.",
        "told-recorded": "The visit has been made. Thank you!",
        "told-begun": "The visit's time has begun, and it can no longer be answered here.",
        "told-wrong-link": (
            "This link does not work. If the visit was moved, use the link in the newest message, "
            "or reply to the message."
        ),
        "trouble-answer": "Choose whether the time suits or not.",
        "trouble-words": "The message is too long: at most 500 characters.",
    },
}

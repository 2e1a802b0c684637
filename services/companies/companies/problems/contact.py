"""Refusals about people at companies."""

from tyrsky.catalogue import Problem, declare

declare(
    Problem(
        "contact-unknown",
        404,
        fi="Yhteyshenkilöä ei ole. Hae yrityksen yhteyshenkilöt uudelleen.",
        sv="Kontaktpersonen finns inte. Hämta företagets kontaktpersoner på nytt.",
        en="There is no such contact. Get the company's contacts again.",
    ),
    Problem(
        "contact-already-added",
        409,
        fi="Yhteyshenkilö on jo lisätty. Muuta hänen tietojaan lisäämisen sijaan.",
        sv="Kontaktpersonen har redan lagts till. Ändra uppgifterna i stället.",
        en="The contact was added already. Change it instead.",
    ),
    Problem(
        "contact-unreachable",
        422,
        fi="Yhteyshenkilölle tarvitaan sähköpostiosoite tai puhelinnumero. Anna ainakin toinen.",
        sv="Kontaktpersonen behöver en e-postadress eller ett telefonnummer. Ange åtminstone det ena.",
        en="A contact needs an e-mail address or a telephone number. Give at least one of them.",
    ),
    Problem(
        "contact-of-another-company",
        422,
        fi="Yhteyshenkilö on toisesta yrityksestä. Valitse joku tämän yrityksen yhteyshenkilöistä.",
        sv="Kontaktpersonen hör till ett annat företag. Välj någon av det här företagets kontaktpersoner.",
        en="The contact is at another company. Choose one of this company's contacts.",
    ),
    Problem(
        "person-name-wrong",
        422,
        fi="Kirjoita nimi yhdelle riville, ilman ohjausmerkkejä.",
        sv="Skriv namnet på en rad, utan styrtecken.",
        en="Write the name on one line, without control characters.",
    ),
    Problem(
        "phone-number-wrong",
        422,
        fi="Anna puhelinnumero numeroin, esimerkiksi 040 123 4567 tai +358 40 123 4567.",
        sv="Ange telefonnumret med siffror, till exempel 040 123 4567 eller +358 40 123 4567.",
        en="Give the telephone number in digits, such as 040 123 4567 or +358 40 123 4567.",
    ),
    Problem(
        "contact-erased",
        410,
        fi="Yhteyshenkilön tiedot on poistettu. Lisää hänet uudelleen, jos siihen on peruste.",
        sv="Kontaktpersonens uppgifter har raderats. Lägg till personen på nytt, om det finns en grund för det.",
        en="The contact's data was erased. Add the person again if there is a basis for it.",
    ),
    Problem(
        "consent-missing",
        422,
        fi="Perusteena on suostumus, mutta sitä ei ole kirjattu. Kirjaa, milloin ja miten se annettiin.",
        sv="Grunden är samtycke, men inget samtycke har antecknats. Anteckna när och hur det gavs.",
        en="The basis is consent, and none was recorded. Record when and how it was given.",
    ),
    Problem(
        "consent-not-given",
        409,
        fi="Suostumusta ei ole kirjattu, joten sitä ei voi peruuttaa. Jos henkilö ei halua viestejä, kirjaa vastustus.",
        sv="Inget samtycke har antecknats och kan därför inte återkallas. Vill personen inte ha meddelanden, anteckna "
        "att hen motsätter sig dem.",
        en="No consent was recorded, so none can be withdrawn. If the person wants no messages, record an objection.",
    ),
    Problem(
        "consent-not-later",
        409,
        fi="Henkilö on vastustanut viestejä tai peruuttanut suostumuksensa tämän jälkeen. Vain hänen oma, myöhemmin "
        "antamansa suostumus kumoaa sen.",
        sv="Personen har därefter motsatt sig meddelanden eller återkallat sitt samtycke. Bara personens eget, senare "
        "samtycke upphäver det.",
        en="After that the person objected to messages, or withdrew their consent. Only their own, later consent ends "
        "it.",
    ),
    Problem(
        "withdrawn-before-given",
        422,
        fi="Suostumus olisi peruutettu ennen kuin se annettiin. Tarkista ajankohta.",
        sv="Samtycket skulle ha återkallats innan det gavs. Kontrollera tidpunkten.",
        en="The consent would have been withdrawn before it was given. Look at the moment again.",
    ),
    Problem(
        "moment-in-the-future",
        422,
        fi="Ajankohta on vasta tulossa. Anna se, jolloin asia tapahtui.",
        sv="Tidpunkten har ännu inte varit. Ange när det hände.",
        en="The moment is yet to come. Give the one at which it happened.",
    ),
    Problem(
        "period-of-an-instructor",
        422,
        fi="Jakson päättymispäivä on vain työpaikkaohjaajalla. Jätä se pois, tai muuta rooli.",
        sv="Bara en arbetsplatshandledare har ett slutdatum för perioden. Utelämna det, eller ändra rollen.",
        en="Only a workplace instructor has an end of the period. Leave it out, or change the role.",
    ),
    Problem(
        "period-long-over",
        422,
        fi="Jakson päättymisestä on yli kolme kuukautta, eikä ohjaajan osoitteita saa enää säilyttää. Jätä ne pois.",
        sv="Det har gått över tre månader sedan perioden slutade, och handledarens adresser får inte längre sparas. "
        "Utelämna dem.",
        en="The period ended more than three months ago: the instructor's addresses may not be kept. Leave them out.",
    ),
    Problem(
        "period-ends-too-far-ahead",
        422,
        fi="Jakso päättyisi yli viiden vuoden päästä. Tarkista päättymispäivä.",
        sv="Perioden skulle sluta om mer än fem år. Kontrollera slutdatumet.",
        en="The period would end in more than five years. Look at its end again.",
    ),
    Problem(
        "how-wrong",
        422,
        fi="Kerro yhdellä rivillä, miten henkilö sen ilmaisi, esimerkiksi: soitti, lomake messuilla.",
        sv="Berätta på en rad hur personen sade det, till exempel: ringde, blankett på mässan.",
        en="Tell on one line how the person said so, such as: by telephone, a form at the fair.",
    ),
)

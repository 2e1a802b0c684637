"""The problems that any service may answer with, in three languages."""

from tyrsky.catalogue import Problem, declare, lookup

declare(
    Problem(
        "token-missing",
        401,
        fi="Kirjaudu sisään: pyynnöstä puuttuu tunniste.",
        sv="Logga in: begäran saknar åtkomsttoken.",
        en="Log in: the request has no access token.",
    ),
    Problem(
        "token-invalid",
        401,
        fi="Tunniste ei kelpaa tähän palveluun.",
        sv="Åtkomsttoken duger inte för denna tjänst.",
        en="The access token is not valid for this service.",
    ),
    Problem(
        "token-expired",
        401,
        fi="Istunto on vanhentunut. Kirjaudu uudelleen.",
        sv="Sessionen har gått ut. Logga in på nytt.",
        en="The session has expired. Log in again.",
    ),
    Problem(
        "college-missing",
        403,
        fi="Käyttäjää ei ole liitetty mihinkään oppilaitokseen.",
        sv="Användaren hör inte till någon läroanstalt.",
        en="The user belongs to no college.",
    ),
    Problem(
        "college-not-served",
        403,
        fi="Tämä palvelu ei palvele käyttäjän oppilaitosta.",
        sv="Denna tjänst betjänar inte användarens läroanstalt.",
        en="This service does not serve the user's college.",
    ),
    Problem(
        "role-missing",
        403,
        fi="Käyttäjällä ei ole tähän tarvittavaa roolia.",
        sv="Användaren saknar den roll som behövs för detta.",
        en="The user does not have a role that this needs.",
    ),
    Problem(
        "not-found",
        404,
        fi="Tässä osoitteessa ei ole mitään.",
        sv="Det finns ingenting på denna adress.",
        en="There is nothing at this address.",
    ),
    Problem(
        "method-not-allowed",
        405,
        fi="Tätä osoitetta ei voi käyttää näin.",
        sv="Denna adress kan inte användas så här.",
        en="This address cannot be used with this method.",
    ),
    Problem(
        "request-slow",
        408,
        fi="Pyyntöä ei saatu kokonaan ajoissa.",
        sv="Begäran kom inte fram i tid.",
        en="The request did not arrive in time.",
    ),
    Problem(
        "rejected",
        409,
        fi="Tätä ei voi tehdä nyt.",
        sv="Detta kan inte göras nu.",
        en="This cannot be done now.",
    ),
    Problem(
        "json-broken",
        400,
        fi="Pyynnön sisältö ei ole ehjää JSONia.",
        sv="Begärans innehåll är inte giltig JSON.",
        en="The body is not valid JSON.",
    ),
    Problem(
        "json-too-deep",
        400,
        fi="Pyynnön sisällössä on liikaa sisäkkäisiä tasoja.",
        sv="Begärans innehåll har för många nivåer.",
        en="The body is nested too deeply.",
    ),
    Problem(
        "body-too-large",
        413,
        fi="Pyynnön sisältö on liian suuri.",
        sv="Begärans innehåll är för stort.",
        en="The body is too large.",
    ),
    Problem(
        "target-too-long",
        414,
        fi="Osoite on liian pitkä.",
        sv="Adressen är för lång.",
        en="The address is too long.",
    ),
    Problem(
        "body-not-json",
        415,
        fi="Pyynnön sisällön tulee olla JSONia (Content-Type: application/json).",
        sv="Begärans innehåll ska vara JSON (Content-Type: application/json).",
        en="The body must be JSON (Content-Type: application/json).",
    ),
    Problem(
        "request-invalid",
        422,
        fi="Pyynnössä on virheitä.",
        sv="Det finns fel i begäran.",
        en="The request is not valid.",
    ),
    Problem(
        "cursor-wrong",
        422,
        fi="Sivun osoitin ei kuulu tähän luetteloon. Aloita alusta.",
        sv="Sidmarkören hör inte till denna lista. Börja från början.",
        en="The cursor does not belong to this list. Start from the beginning.",
    ),
    Problem(
        "id-taken",
        409,
        fi="Tunniste on jo muun käytössä. Anna uudelle asialle uusi satunnainen UUID.",
        sv="Detta id används redan av någon annan. Ge det nya ett nytt slumpmässigt UUID.",
        en="This id is in use by somebody else. Give the new thing another random UUID.",
    ),
    Problem(
        "aggregate-full",
        409,
        fi="Tähän ei mahdu enempää. Poista ensin jotakin.",
        sv="Här ryms inte mer. Ta först bort något.",
        en="There is no room for more in this. Remove something first.",
    ),
    Problem(
        "not-storable",
        422,
        fi="Pyynnössä on jotakin, mitä ei voi tallentaa: rikkinäinen merkki tai liian suuri luku.",
        sv="Något i begäran kan inte sparas: ett trasigt tecken eller ett för stort tal.",
        en="Something in the request cannot be stored: a broken character, or too large a number.",
    ),
    Problem(
        "headers-too-large",
        431,
        fi="Pyynnön otsakkeet ovat liian suuret.",
        sv="Begärans rubriker är för stora.",
        en="The request's headers are too large.",
    ),
    Problem(
        "unexpected",
        500,
        fi="Palvelussa tapahtui virhe. Se on kirjattu.",
        sv="Ett fel uppstod i tjänsten. Det har registrerats.",
        en="Something went wrong in the service. It has been recorded.",
    ),
    Problem(
        "store-unavailable",
        503,
        fi="Tietokantaan ei saada yhteyttä. Yritä hetken kuluttua uudelleen.",
        sv="Databasen kan inte nås. Försök igen om en stund.",
        en="The database cannot be reached. Try again in a moment.",
    ),
    Problem(
        "identity-unavailable",
        503,
        fi="Kirjautumispalveluun ei saada yhteyttä. Yritä hetken kuluttua uudelleen.",
        sv="Inloggningstjänsten kan inte nås. Försök igen om en stund.",
        en="The identity provider cannot be reached. Try again in a moment.",
    ),
    Problem(
        "caller-busy",
        429,
        fi="Sinulta on tullut liian monta pyyntöä yhtä aikaa. Yritä hetken kuluttua uudelleen.",
        sv="För många förfrågningar har kommit från dig på en gång. Försök igen om en stund.",
        en="Too many requests of yours came at once. Try again in a moment.",
    ),
    Problem(
        "busy",
        503,
        fi="Palvelu on ruuhkautunut. Yritä hetken kuluttua uudelleen.",
        sv="Tjänsten är överbelastad. Försök igen om en stund.",
        en="The service is busy. Try again in a moment.",
    ),
    Problem(
        "answer-slow",
        503,
        fi="Vastaus ei valmistunut ajoissa. Yritä hetken kuluttua uudelleen.",
        sv="Svaret blev inte klart i tid. Försök igen om en stund.",
        en="The answer was not ready in time. Try again in a moment.",
    ),
)

declare(
    Problem(
        "mail-address-wrong",
        422,
        fi="Anna yksi sähköpostiosoite, esimerkiksi etunimi.sukunimi@yritys.fi. Alkuosassa ei voi olla ä:tä tai ö:tä.",
        sv="Ange en e-postadress, till exempel fornamn.efternamn@foretag.fi. Den första delen har inte å, ä eller ö.",
        en="Give one e-mail address, such as first.last@company.fi. Its first part cannot have letters like ä and ö.",
    ),
)

# What the gateway answers in a service's place. Its Caddyfile has the sentences once more: a test keeps them equal.
declare(
    Problem(
        "service-unavailable",
        503,
        fi="Palvelu ei juuri nyt vastaa. Yritä hetken kuluttua uudelleen.",
        sv="Tjänsten svarar inte just nu. Försök igen om en stund.",
        en="The service does not answer at the moment. Try again in a moment.",
    ),
    Problem(
        "gateway-refused",
        500,  # or whichever status the gateway has for it
        fi="Yhdyskäytävä ei voi välittää tätä pyyntöä.",
        sv="Nätporten kan inte förmedla denna begäran.",
        en="The gateway cannot pass this request on.",
    ),
)


def known(code: str) -> Problem:
    """A problem that the kit itself declares."""
    problem = lookup(code)
    if problem is None:
        raise KeyError(code)
    return problem

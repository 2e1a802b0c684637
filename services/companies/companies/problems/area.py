"""Refusals about areas."""

from tyrsky.catalogue import Problem, declare

declare(
    Problem(
        "area-unknown",
        404,
        fi="Aluetta ei ole. Hae oppilaitoksesi alueet uudelleen.",
        sv="Området finns inte. Hämta läroanstaltens områden på nytt.",
        en="There is no such area. Get your college's areas again.",
    ),
    Problem(
        "area-already-drawn",
        409,
        fi="Alue on jo olemassa. Muuta sitä lisäämisen sijaan.",
        sv="Området finns redan. Ändra det i stället för att lägga till det.",
        en="There is such an area already. Change it instead of adding it.",
    ),
    Problem(
        "area-empty",
        422,
        fi="Alueella on oltava ainakin yksi kunta. Jos aluetta ei enää tarvita, poista se.",
        sv="Ett område ska ha minst en kommun. Om området inte behövs mer, ta bort det.",
        en="An area has one municipality at least. If it is not needed any more, remove it.",
    ),
    Problem(
        "areas-too-many",
        409,
        fi="Oppilaitoksella on jo 100 aluetta. Poista niistä jokin ensin.",
        sv="Läroanstalten har redan 100 områden. Ta först bort något av dem.",
        en="The college has 100 areas already. Remove one of them first.",
    ),
    Problem(
        "area-name-wrong",
        422,
        fi="Kirjoita alueen nimi yhdelle riville, ilman ohjausmerkkejä.",
        sv="Skriv områdets namn på en rad, utan styrtecken.",
        en="Write the area's name on one line, without control characters.",
    ),
    Problem(
        "municipality-unknown",
        422,
        fi="Jotakin kunnista ei ole kuntaluokituksessa: kohta unknown kertoo, mitkä. Hae kunnat uudelleen.",
        sv="Någon av kommunerna finns inte i kommunindelningen: unknown anger vilka. Hämta kommunerna på nytt.",
        en="Some of the municipalities are not in the classification: unknown tells which. Get the list again.",
    ),
)

"""What is promised of web pages: the page's own text with its structure, nothing hidden, nothing around it."""

from __future__ import annotations

from pathlib import Path

import pytest

from documents_fixtures import reading, rows, shown

LONG = "Ženklas galioja dvejus metus nuo suteikimo dienos, o paskui jį reikia atnaujinti iš naujo pagal tvarką."
OTHER = "Vertinimą atlieka nešališkas ekspertas, kuris klasterio valdymo organizacijos anksčiau nėra konsultavęs."


def page(body: str, head: str = "") -> str:
    return (
        f'<!doctype html><html lang="lt"><head><meta charset="utf-8"><title>Ženklai</title>{head}</head><body>'
        f'<nav><ul><li><a href="/">Pradžia</a></li><li><a href="/k">Kontaktai</a></li></ul></nav>{body}'
        '<footer><p>© 2024 MITA. Visos teisės saugomos.</p></footer></body></html>'
    )  # fmt: skip


STRUCTURE = (
    f"<h1>Ženklai</h1><p>{LONG}</p><h2>Sąlygos</h2><p>Reikia:</p><ul><li>sutarties;</li><li>eksperto.</li></ul>"
    f"<h3>Terminai</h3><p>{OTHER}</p><h2>Pabaiga</h2><p>Trumpai.</p><p>{LONG[:59]} kitur.</p>"
)
STRUCTURE_BLOCKS = [
    ("heading", "Ženklai"), ("paragraph", LONG), ("heading", "Sąlygos"), ("paragraph", "Reikia:"),
    ("list_item", "sutarties;"), ("list_item", "eksperto."), ("heading", "Terminai"), ("paragraph", OTHER),
    ("heading", "Pabaiga"), ("paragraph", "Trumpai."), ("paragraph", f"{LONG[:59]} kitur."),
]  # fmt: skip


@pytest.mark.parametrize(
    "frame",
    ["<main>{}</main>", "<article>{}</article>", "<div id='content'>{}</div>", "<div><div><div>{}</div></div></div>", "{}",
     "<form method='post'><div class='row'>{}</div></form>", "<table><tr><td>{}</td></tr></table>", "<div role='main'>{}</div>",
     "<section>{}</section>", "<center><font>{}</font></center>"],
)  # fmt: skip
def test_headings_and_items_stay_apart_whatever_the_page_is_built_of(tmp_path: Path, frame: str) -> None:
    document = reading(tmp_path, "a.html", page(frame.format(STRUCTURE)))
    assert shown(document) == STRUCTURE_BLOCKS


@pytest.mark.parametrize(
    "hidden",
    ["<p hidden>slapta ir ilga pastraipa apie tai, ko niekas nemato puslapyje</p>",
     "<div aria-hidden='true'><p>slapta</p></div>", "<p style='color:red; display: none'>slapta</p>",
     "<p style='visibility:hidden'>slapta</p>", "<span class='sr-only'>slapta</span>", "<p class='x'>slapta</p>",
     "<template><p>slapta</p></template>", "<dialog><p>slapta</p></dialog>", "<noscript>slapta</noscript>",
     "<p>Kaina <del>slapta</del> 600 EUR.</p>", "<!-- slapta -->", "<script>slapta()</script>"],
)  # fmt: skip
def test_what_is_hidden_is_never_read(tmp_path: Path, hidden: str) -> None:
    head = "<style>.x { display:none } @media print { .y { display: none } }</style>"
    body = f"<main><h1>Ženklai</h1><p>{LONG}</p>{hidden}<p class='y'>{OTHER}</p></main>"
    document = reading(tmp_path, "a.html", page(body, head))
    assert "slapta" not in document.text
    assert document.text.endswith(OTHER)


def test_menus_cookie_bars_and_side_columns_are_not_read(tmp_path: Path) -> None:
    body = (
        "<div class='cookie-bar'><p>Naudojame slapukus.</p></div><header><a href='/'>MITA</a></header>"
        f"<div class='page'><div class='breadcrumb'><a href='/'>Pradžia</a> › Ženklai</div>{STRUCTURE}"
        "<div class='share'><a href='#'>Dalytis</a></div></div><aside><h2>Susiję</h2><a href='#'>Kitas puslapis</a></aside>"
    )
    assert shown(reading(tmp_path, "a.html", page(body))) == STRUCTURE_BLOCKS


def test_ordered_lists_keep_their_numbers(tmp_path: Path) -> None:
    body = (
        f"<main><p>{LONG}</p><ol start='3'><li>trečia</li><li>ketvirta<ol type='a'><li>raidė</li></ol></li>"
        f"<li value='9'>devinta</li></ol><p>{OTHER}</p></main>"
    )
    document = reading(tmp_path, "a.html", page(body))
    assert "\n\n3. trečia\n4. ketvirta\na. raidė\n9. devinta\n\n" in document.text
    assert [(b.kind, b.level) for b in document.blocks[1:5]] == [("list_item", n) for n in (0, 0, 1, 0)]
    assert shown(document)[1] == ("list_item", "trečia")


def test_merged_cells_say_their_label_in_each_row(tmp_path: Path) -> None:
    table = (
        "<table><thead><tr><th rowspan=2>Ženklas<th colspan=2>Kaina</tr><tr><th>be PVM<th>su PVM</tr></thead>"
        "<tr><td rowspan=2>Bronzos<td>600<td>726</tr><tr><td colspan=2>nemokamai</tr>"
        "<tr><td colspan=3>Kiti ženklai</tr><tr><td>Sidabro<td><b>900</b><td>1089</tr></table>"
    )
    header = "Ženklas | Kaina be PVM | Kaina su PVM"
    assert rows(reading(tmp_path, "a.html", page(f"<main><p>{LONG}</p>{table}</main>"))) == [
        (header, "Bronzos | 600 | 726"),
        (header, "Bronzos | nemokamai | nemokamai"),
        ("", "Kiti ženklai"),
        (header, "Sidabro | 900 | 1089"),
    ]


def test_a_table_without_header_cells_loses_no_row_and_row_titles_are_no_header(tmp_path: Path) -> None:
    contacts = "<table><tr><th>Telefonas<td>+370 612 34567</tr><tr><th>Adresas<td>Vilnius</tr></table>"
    plain = "<table><tr><td>Kas yra klasteris?<td>Įmonių grupė.</tr><tr><td>Kiek jų?<td>57.</tr></table>"
    assert rows(reading(tmp_path, "a.html", page(f"<main><p>{LONG}</p>{contacts}<p>Tarpas.</p>{plain}</main>"))) == [
        ("", "Telefonas | +370 612 34567"),
        ("", "Adresas | Vilnius"),
        ("", "Kas yra klasteris? | Įmonių grupė."),
        ("", "Kiek jų? | 57."),
    ]


def test_a_table_in_a_cell_keeps_its_own_rows(tmp_path: Path) -> None:
    inner = "<table><tr><th>Narys<th>Balsai</tr><tr><td>UAB A<td>2</tr><tr><td>UAB B<td>3</tr></table>"
    outer = f"<table><tr><td>Klasteris<td>Sudėtis:{inner}</tr><tr><td>Šalis<td>Lietuva</tr></table>"
    assert rows(reading(tmp_path, "a.html", page(f"<main><p>{LONG}</p>{outer}</main>"))) == [
        ("", "Klasteris | Sudėtis:"),
        ("Narys | Balsai", "UAB A | 2"),
        ("Narys | Balsai", "UAB B | 3"),
        ("", "Šalis | Lietuva"),
    ]


def test_terms_keep_their_explanations(tmp_path: Path) -> None:
    terms = "<dl><dt>Klasteris</dt><dd>įmonių grupė</dd><dt>Ženklas</dt><dd>pažymėjimas</dd></dl>"
    document = reading(tmp_path, "a.html", page(f"<main><p>{LONG}</p>{terms}</main>"))
    assert shown(document)[1:] == [("table_row", "Klasteris | įmonių grupė"), ("table_row", "Ženklas | pažymėjimas")]


@pytest.mark.parametrize(
    ("markup", "read"),
    [
        ("Plotas 10<sup>6</sup> m<sup>2</sup>.", "Plotas 10⁶ m²."),
        ("Kai <math><mi>x</mi><mo>≥</mo><mfrac><mn>1</mn><mn>2</mn></mfrac></math>.", "Kai x ≥ 1/2."),
        ("Sakė <q>taip</q>.", "Sakė „taip“."),
        ("Pirma<br>antra&nbsp;eilutė.", "Pirma\nantra eilutė."),
        ("Kaina&shy;vimas &lt; 5.", "Kaina\u00advimas < 5."),
    ],
)
def test_what_is_drawn_inside_a_line_is_read(tmp_path: Path, markup: str, read: str) -> None:
    document = reading(tmp_path, "a.html", page(f"<main><p>{LONG}</p><p>{markup}</p></main>"))
    assert shown(document)[1] == ("paragraph", read)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("<p>Telefonas: 8 600 12345</p>", ["Telefonas: 8 600 12345"]),
        ("<table><tr><td>Bronzos</td><td>600</td></tr><tr><td>Aukso</td><td>900</td></tr></table>", ["Bronzos | 600", "Aukso | 900"]),
        ("<h1>Ženklai</h1><ul><li>bronzos</li><li>aukso</li></ul>", ["Ženklai", "bronzos", "aukso"]),
        ("<p><a href='/t.pdf'>Tvarkos aprašas</a></p>", ["Tvarkos aprašas"]),
    ],
)  # fmt: skip
def test_a_page_of_few_words_is_read_without_its_menu(tmp_path: Path, body: str, expected: list[str]) -> None:
    assert [text for _, text in shown(reading(tmp_path, "a.lt.html", page(body)))] == expected


@pytest.mark.parametrize(
    ("field", "read"),
    [
        ("<label>Suma:</label><input value='600 EUR'>", "Suma: 600 EUR"),
        ("<label>Data <input type=date value=2024-05-01 readonly></label> imtinai", "Data 2024-05-01 imtinai"),
        ("Taip <input type=radio name=a checked> Ne <input type=radio name=a>", "Taip ☒ Ne ☐"),
        ("<input type=checkbox checked> Sutinku", "☒ Sutinku"),
        ("Miestas <select><option>Vilnius<option selected>Kaunas</select>, Lietuva", "Miestas Kaunas, Lietuva"),
        ("Miestas <select><option>Vilnius<option>Kaunas</select>", "Miestas Vilnius"),
        ("Miestas <select><option value=''>Pasirinkite<option>Kaunas</select>", "Miestas"),
        ("Yra: <select multiple><option>A<option selected>B</select>", "Yra: ☐ A ☒ B"),
        ("Adresas: <textarea>\nA. Goštauto g. 12\nVilnius</textarea>", "Adresas: A. Goštauto g. 12\nVilnius"),
        ("Vardas: <input value='Ona' type=hidden><input type=password value=slapta><input placeholder=Ona>", "Vardas:"),
        ("Spauskite <input type=submit value=Siųsti><button>Siųsti</button>", "Spauskite"),
        ("Vardas: <input value=Ona hidden>", "Vardas:"),
    ],
)  # fmt: skip
def test_what_stands_in_the_fields_of_a_form_is_read_at_its_place(tmp_path: Path, field: str, read: str) -> None:
    document = reading(tmp_path, "a.html", page(f"<main><p>{LONG}</p><form><p>{field}</p></form></main>"))
    assert shown(document)[1] == ("paragraph", read)
    assert document.warnings == ()


def test_fields_in_a_table_are_read_in_their_cells(tmp_path: Path) -> None:
    table = (
        "<table><tr><th>Narys<td><input value='UAB A'></tr><tr><th>Balsai<td><input type=number value=2></tr></table>"
    )
    document = reading(tmp_path, "a.html", page(f"<main><p>{LONG}</p>{table}</main>"))
    assert rows(document) == [("", "Narys | UAB A"), ("", "Balsai | 2")]


def test_a_button_that_opens_what_is_below_it_is_a_heading_or_a_paragraph(tmp_path: Path) -> None:
    body = (
        f"<main><h2><button class='accordion-button collapsed'>Kas yra klasteris?</button></h2><div><p>{LONG}</p></div>"
        f"<button aria-expanded='false'>Kiek kainuoja?</button><p>{OTHER}</p><button>Spausdinti</button></main>"
    )
    assert shown(reading(tmp_path, "a.html", page(body))) == [
        ("heading", "Kas yra klasteris?"), ("paragraph", LONG), ("paragraph", "Kiek kainuoja?"), ("paragraph", OTHER),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("markup", "pictures", "files"),
    [
        ("<p><img src=a.png alt='Klasterio schema'></p>", 1, 0),
        ("<figure><a href=b.png><img src=a.png></a></figure><table><tr><td><img src=b.png><td>b</tr></table>", 2, 0),
        ("<img src=a.png alt=''><img src=i.png width=16 height=16><img src=b.png hidden>", 0, 0),
        ("<svg><text>600 EUR</text></svg><svg><path/></svg><canvas></canvas>", 2, 0),
        ("<iframe src=a></iframe><p><video src=b></video></p><noscript><img src=c></noscript>", 0, 2),
    ],
)
def test_pictures_and_files_among_the_text_are_named(tmp_path: Path, markup: str, pictures: int, files: int) -> None:
    """A picture around the text, such as a logo, is none of the page's own."""
    body = f"<header><img src=logo.png></header><main><p>{LONG}</p>{markup}<p>{OTHER}</p></main>"
    told = [f"Pictures whose words are not read: {pictures}."] * bool(pictures)
    told += [f"Embedded files that are not read: {files}."] * bool(files)
    document = reading(tmp_path, "a.html", page(body))
    assert list(document.warnings) == told
    assert "schema" not in document.text


def test_a_formula_is_read_also_where_a_picture_is_shown_for_it(tmp_path: Path) -> None:
    formula = "<span><span style='display:none'><math><mi>x</mi><mo>≥</mo><mn>2</mn></math></span><img aria-hidden=true></span>"
    document = reading(tmp_path, "a.html", page(f"<main><p>{LONG}</p><p>Kai {formula}.</p></main>"))
    assert shown(document)[1] == ("paragraph", "Kai x ≥ 2.")


def test_short_lines_at_the_ends_of_a_page_are_read_up_to_its_menus(tmp_path: Path) -> None:
    ends = f"<p>Įžanga.</p><p>{LONG}</p><p>Sąrašas:</p><ul><li>vienas</li><li>du</li></ul><ol><li>trys</li></ol><p>Tel. 8 600</p>"
    assert shown(reading(tmp_path, "a.html", page(ends))) == [
        ("paragraph", "Įžanga."), ("paragraph", LONG), ("paragraph", "Sąrašas:"), ("list_item", "vienas"), ("list_item", "du"),
        ("list_item", "trys"), ("paragraph", "Tel. 8 600"),
    ]  # fmt: skip


def test_lines_of_nothing_but_links_are_text_between_paragraphs_and_menus_are_not(tmp_path: Path) -> None:
    one = "Komisija paraiškas nagrinėja kiekvieną mėnesį, o sprendimą skelbia per dešimt darbo dienų."
    two = "Pareiškėjas apie sprendimą sužino laišku, kurį išsiunčia komisijos sekretorius tą pačią dieną."
    three = "Sprendimą galima skųsti per trisdešimt dienų nuo jo paskelbimo bendrovės svetainėje dienos."
    body = f"""
    <nav><a href="/">Pradžia</a></nav>
    <p><a href="/">Pradžia</a> › <a href="/n">Naujienos</a> › <a href="/k">Komisija</a></p>
    <h1>Kaip vertinamos paraiškos</h1>
    <p><a href="/jonaitis">Antanas Jonaitis</a></p>
    <ul><li><a href="#a">Vertinimas</a></li><li><a href="#b">Skundai</a></li></ul>
    <p>{one}</p><p>{two}</p>
    <ul><li><a href="/1">Apie mus</a></li><li><a href="/2">Naujienos</a></li><li><a href="/3">Kontaktai</a></li>
    <li><a href="/4">Karjera</a></li></ul>
    <p><a href="/1">Skaityti daugiau »</a></p>
    <p>{three}</p>
    <p><a href="mailto:komisija@pavyzdys.lt">komisija@pavyzdys.lt</a></p>
    <h2>Papildomi skaitiniai</h2>
    <ul><li><a href="/t">Paraiškų vertinimo tvarkos aprašas</a></li><li><a href="/g">Skundų nagrinėjimo gairės</a></li></ul>
    <div class="cookies"><p><a href="/s">Slapukų nuostatos</a></p></div>
    """
    document = reading(tmp_path, "a.lt.html", f"<html lang=lt><body>{body}</body></html>")
    assert [text for _, text in shown(document)] == [
        "Kaip vertinamos paraiškos",
        "Antanas Jonaitis",
        one,
        two,
        three,
        "komisija@pavyzdys.lt",
        "Papildomi skaitiniai",
        "Paraiškų vertinimo tvarkos aprašas",
        "Skundų nagrinėjimo gairės",
    ]


def test_links_in_the_main_part_of_a_page_are_its_text(tmp_path: Path) -> None:
    links = "".join(
        f'<li><a href="/{n}">{name}</a></li>' for n, name in enumerate(["Vilnius", "Kaunas", "Klaipėda", "Šiauliai"])
    )
    lead = "Skyriai, kuriuose priimami prašymai, dirba kasdien nuo aštuntos iki septynioliktos valandos:"
    body = f"<main><h1>Skyriai</h1><p>{lead}</p><ul>{links}</ul></main><footer><p><a href='/'>Pavyzdys</a></p></footer>"
    document = reading(tmp_path, "a.lt.html", f"<html lang=lt><body>{body}</body></html>")
    assert [text for _, text in shown(document)] == ["Skyriai", lead, "Vilnius", "Kaunas", "Klaipėda", "Šiauliai"]


def test_control_characters_beside_what_is_hidden_stop_nothing(tmp_path: Path) -> None:
    for sign in ("\x0b", "\x01", "\x0c", "\ufffe", "&#11;", "&#1;", "&#xfffe;"):
        document = reading(
            tmp_path, "a.html", page(f"<p>Aukso ženklo kaina yra 5 eurai.</p><p hidden>ne</p>{sign} Tai viskas.")
        )
        assert "Aukso ženklo kaina yra 5 eurai." in document.text and "Tai viskas." in document.text


def test_what_stands_off_the_screen_or_pops_up_is_no_text_and_what_the_style_adds_is_told(tmp_path: Path) -> None:
    text = "Paraiškas nagrinėja komisija, o sprendimą skelbia per dešimt darbo dienų nuo posėdžio dienos."
    style = (
        "<style>.off{position:absolute;left:-9999px} h2::before{content:counter(c) '. '} p::after{content:'“'}</style>"
    )
    body = f"<main><p>{text}</p><p class=off>Toli.</p><p style='text-indent:-9999px'>Dar toliau.</p><div popover>Iškyla.</div></main>"
    document = reading(tmp_path, "a.lt.html", page(body, style))
    assert document.text == text
    assert document.warnings == ("Rules of the page's style that add words or numbers, which are not read: 1.",)


NOTICE = (
    "<h2>Svarbus pranešimas</h2><p>Paraiškų priėmimas pratęstas iki birželio 15 dienos.</p><button>Uždaryti</button>"
)
OWN = [LONG, "Parama skiriama klasterių nariams, kurie veikia Lietuvoje ne trumpiau kaip dvejus metus.", OTHER]
MAIN = "".join(f"<p>{text}</p>" for text in OWN)
TOLD = "Windows and boxes beside the text of the page, which are not read: „Svarbus pranešimas Paraiškų priėmimas pratęstas iki birželio 15 dienos.“."


@pytest.mark.parametrize(
    ("page", "warnings"),
    [
        (f"<dialog open>{NOTICE}</dialog><main>{MAIN}</main>", (TOLD,)),
        (f"<main>{MAIN}</main><div role='alertdialog'><div>{NOTICE}</div></div>", (TOLD,)),
        (f"<main>{MAIN}<aside>{NOTICE}</aside></main>", (TOLD,)),
        (f"<dialog>{NOTICE}</dialog><main>{MAIN}</main>", ()),
        (f"<main>{MAIN}</main><aside>{NOTICE}</aside>", ()),
        (f"<dialog open><p>Ši svetainė naudoja slapukus, kad veiktų geriau ir greičiau.</p></dialog><main>{MAIN}</main>", ()),
        (f"<main>{MAIN}<aside><a href='/a'>Kitas straipsnis apie klasterius ir jų plėtrą regionuose</a></aside></main>", ()),
        (f"<main>{MAIN}<aside><p>Skaitykite dar.</p></aside></main>", ()),
    ],
)  # fmt: skip
def test_windows_and_boxes_beside_the_text_are_named(tmp_path: Path, page: str, warnings: tuple[str, ...]) -> None:
    document = reading(tmp_path, "a.lt.html", f"<html><body>{page}</body></html>")
    assert document.warnings == warnings
    assert [text for _, text in shown(document)] == OWN

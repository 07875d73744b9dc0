"""The words of the staff desk that all its pages share, and those of the log-in, people and log pages; with times."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from clusterqa.records import Language
from clusterqa.web.words import told_date

_ZONE: ZoneInfo | None
try:
    _ZONE = ZoneInfo("Europe/Vilnius")  # where the agency is: its clerks expect the time of their own clock
except ZoneInfoNotFoundError:  # no time zones on this system
    _ZONE = None

WORDS: dict[Language, dict[str, str]] = {
    "lt": {
        "desk": "Darbuotojų skiltis",
        "skip_main": "Pereiti prie turinio",
        "sections": "Darbuotojų skilties dalys",
        "overview": "Apžvalga",
        "documents": "Dokumentai",
        "questions": "Klausimai",
        "trial": "Bandymai",
        "people": "Paskyros",
        "log": "Veiksmų žurnalas",
        "to_chat": "Į pokalbį",
        "own_account": "Jūsų paskyra",
        "own_password": "Keisti slaptažodį",
        "log_out": "Atsijungti",
        "editor": "redaktorius",
        "administrator": "administratorius",
        "save": "Išsaugoti",
        "cancel": "Atšaukti",
        "close": "Uždaryti",
        "search": "Ieškoti",
        "yes_sure": "Taip, tikrai",
        "never": "dar niekada",
        "more": "Rodyti ankstesnius",
        # log-in
        "log_in": "Prisijungti",
        "log_in_title": "Prisijungimas prie darbuotojų skilties",
        "log_in_lead": "Čia tvarkomi dokumentai, iš kurių cituojami atsakymai.",
        "name": "Vardas",
        "password": "Slaptažodis",
        "show_password": "Rodyti slaptažodį",
        "wrong_password": "Vardas arba slaptažodis neteisingas. Patikrinkite, ar neįjungtas klavišas „Caps Lock“.",
        "locked": "Per daug nesėkmingų bandymų. Bandykite vėl {} arba paprašykite administratoriaus suteikti naują slaptažodį.",
        "after_time": "po {} val.",
        "busy_login": "Šiuo metu bandoma prisijungti labai daug kartų. Palaukite minutę ir pabandykite vėl.",
        "logged_out": "Jūs atsijungėte.",
        "log_in_again": "Ilgokai nieko nedarėte arba jūsų slaptažodis pakeistas, todėl reikia prisijungti iš naujo.",
        "closed_title": "Darbuotojų skiltis dar neatverta",
        "closed": "Nėra nė vienos paskyros. Pirmąją sukuria tas, kas prižiūri serverį, tokia komanda:",
        "closed_name": "VARDAS",
        "closed_then": "Komanda paprašys sugalvoti slaptažodį. Pirmoji paskyra yra administratoriaus; kitas jau galėsite kurti "
        "čia pat. Sukūrę paskyrą atnaujinkite šį puslapį.",
        "lost_password": "Pamiršote slaptažodį? Naują gali suteikti administratorius.",
        # refusals
        "sorry": "Veiksmas neatliktas",
        "change_first": "Prisijungėte suteiktu slaptažodžiu. Prieš pradėdami dirbti, sugalvokite savo slaptažodį.",
        "administrators_only": "Šį puslapį gali atverti tik administratoriai. Jei jums jo reikia, kreipkitės į administratorių.",
        "foreign_form": "Užklausa atėjo ne iš šios svetainės puslapio, todėl nieko nepakeitėme.",
        "wrong_token": "Puslapis, kurį atvėrėte, nebegalioja: galbūt prisijungėte kita paskyra arba pakeitėte slaptažodį. "
        "Grįžkite, atnaujinkite puslapį ir pakartokite.",
        "session_ended": "Jūs nebesate prisijungę",
        "session_ended_text": "Nieko nepakeitėme, bet to, ką parašėte, dar nepraradote. Prisijunkite naujame lange, grįžkite į šį "
        "ir dar kartą išsiųskite formą (naršyklės mygtuku „Atgal“ ji vėl parodoma).",
        "log_in_new": "Prisijungti naujame lange",
        "not_there": "Tokio puslapio nėra",
        "not_there_text": "Galbūt nuoroda pasenusi arba joje įsivėlė klaida.",
        "wrong_form": "Forma užpildyta ne visa arba su klaida",
        "wrong_form_text": "Grįžkite ir patikrinkite, ką įrašėte.",
        "too_large": "Siunčiama per daug",
        "fault": "Mūsų sistemos klaida",
        "fault_text": "Veiksmas neatliktas. Pabandykite dar kartą; jei nepavyks, praneškite serverio prižiūrėtojui: kas nutiko, "
        "įrašyta serverio žurnale.",
        "unusable": "Darbuotojų skiltis dabar neveikia",
        "unusable_text": "Jos duomenų failo nepavyksta atverti. Praneškite serverio prižiūrėtojui: priežastis įrašyta serverio "
        "žurnale. Pokalbis veikia kaip visada.",
        "not_ready": "Sistema dar ruošiasi darbui",
        "not_ready_text": "Pabandykite po kelių minučių.",
        "go_back": "Grįžti",
        # own password
        "password_title": "Slaptažodžio keitimas",
        "password_rules": "Bent {} ženklų. Lengviausia įsiminti tris ar keturis tarpusavyje nesusijusius žodžius.",
        "old_password": "Dabartinis slaptažodis",
        "new_password": "Naujas slaptažodis",
        "new_again": "Naujas slaptažodis dar kartą",
        "password_changed": "Slaptažodis pakeistas. Kituose įrenginiuose, kuriuose buvote prisijungę, jus atjungėme.",
        "old_wrong": "Dabartinis slaptažodis neteisingas.",
        "not_same": "Nauji slaptažodžiai nesutampa.",
        "same_as_old": "Naujas slaptažodis turi skirtis nuo dabartinio.",
        "password_short": "Slaptažodis per trumpas: reikia bent {} ženklų.",
        "password_long": "Slaptažodis per ilgas: daugiausia {} ženklų.",
        "password_guessable": "Tokį slaptažodį lengva atspėti. Imkite tris ar keturis tarpusavyje nesusijusius žodžius.",
        # people
        "people_title": "Darbuotojų paskyros",
        "role": "Vaidmuo",
        "roles_told": "Redaktoriai tvarko dokumentus ir rašo atsakymus. Administratoriai, be to, tvarko paskyras ir mato visą "
        "veiksmų žurnalą.",
        "added_on": "Sukurta",
        "seen_on": "Paskutinį kartą prisijungė",
        "actions": "Veiksmai",
        "you_mark": "(jūs)",
        "must_change_mark": "dar nepasikeitė suteikto slaptažodžio",
        "add_person": "Nauja paskyra",
        "name_hint": "Raidės ir skaitmenys be tarpų, pavyzdžiui, „rasa.petraityte“. Raidės su diakritiniais ženklais taip pat tinka.",
        "add_account": "Sukurti paskyrą",
        "make_editor": "Skirti redaktoriumi",
        "make_administrator": "Skirti administratoriumi",
        "new_one_time": "Suteikti naują slaptažodį",
        "end_everywhere": "Atjungti visuose įrenginiuose",
        "remove_account": "Pašalinti paskyrą",
        "remove_title": "Pašalinti paskyrą „{}“?",
        "remove_text": "Šis žmogus iš karto bus atjungtas ir nebegalės prisijungti. Jo įkelti dokumentai ir veiksmų žurnalo įrašai "
        "išliks.",
        "reset_title": "Suteikti paskyrai „{}“ naują slaptažodį?",
        "reset_text": "Senasis slaptažodis iš karto nustos galioti, o žmogus bus atjungtas visuose įrenginiuose.",
        "one_time_title": "Slaptažodis paskyrai „{}“",
        "one_time_text": "Perduokite jį šiam žmogui asmeniškai arba telefonu. Rodome tik šį kartą. Pirmą kartą prisijungęs žmogus "
        "turės sugalvoti savo slaptažodį.",
        "done_noted": "Perdaviau, grįžti į sąrašą",
        "role_changed": "Paskyros „{}“ vaidmuo pakeistas.",
        "account_removed": "Paskyra „{}“ pašalinta.",
        "ended_everywhere": "„{}“ atjungta visuose įrenginiuose.",
        "no_such_account": "Tokios paskyros nebėra.",
        "wrong_name": "Toks vardas netinka. Rašykite raides ir skaitmenis be tarpų, ne daugiau kaip 64 ženklus; viduje gali būti "
        "taškas, brūkšnelis ar @.",
        "name_taken": "Paskyra tokiu vardu jau yra.",
        "last_administrator": "Tai paskutinis administratorius. Pirmiausia administratoriumi paskirkite kitą žmogų.",
        "not_yourself": "Savo paskyros pašalinti ar pakeisti jos vaidmens negalite. Paprašykite kito administratoriaus.",
        # log
        "log_title": "Veiksmų žurnalas",
        "log_lead": "Kas, ką ir kada padarė. Žurnalo įrašų pakeisti ar ištrinti negalima.",
        "log_own": "Čia matote savo veiksmus; visų darbuotojų veiksmus mato administratoriai.",
        "when": "Kada",
        "who": "Kas",
        "what": "Ką padarė",
        "target": "Objektas",
        "detail": "Išsamiau",
        "everyone": "Visi",
        "everything": "Visi veiksmai",
        "log_empty": "Tokių įrašų nėra.",
        "command_line": "{} (serverio komandų eilutė)",
        "filter": "Rodyti",
        "csv": "Atsisiųsti CSV",
    },
    "en": {
        "desk": "Staff desk",
        "skip_main": "Skip to the content",
        "sections": "Parts of the staff desk",
        "overview": "Overview",
        "documents": "Documents",
        "questions": "Questions",
        "trial": "Try it",
        "people": "Accounts",
        "log": "Activity log",
        "to_chat": "To the chat",
        "own_account": "Your account",
        "own_password": "Change password",
        "log_out": "Log out",
        "editor": "editor",
        "administrator": "administrator",
        "save": "Save",
        "cancel": "Cancel",
        "close": "Close",
        "search": "Search",
        "yes_sure": "Yes, I am sure",
        "never": "never yet",
        "more": "Show earlier ones",
        "log_in": "Log in",
        "log_in_title": "Log in to the staff desk",
        "log_in_lead": "This is where the documents are kept that answers are quoted from.",
        "name": "Name",
        "password": "Password",
        "show_password": "Show the password",
        "wrong_password": "The name or the password is wrong. Check that Caps Lock is off.",
        "locked": "Too many failed attempts. Try again {}, or ask an administrator for a new password.",
        "after_time": "after {}",
        "busy_login": "Very many people are trying to log in at the moment. Wait a minute and try again.",
        "logged_out": "You are logged out.",
        "log_in_again": "You were away for long, or your password was changed; please log in again.",
        "closed_title": "The staff desk is not open yet",
        "closed": "There is no account yet. Whoever looks after the server makes the first one with this command:",
        "closed_name": "NAME",
        "closed_then": "The command asks for a password. The first account is an administrator’s; the others can be made here. "
        "Reload this page when the account is made.",
        "lost_password": "Forgotten the password? An administrator can give you a new one.",
        "sorry": "Nothing was done",
        "change_first": "You logged in with a password you were given. Choose one of your own before you begin to work.",
        "administrators_only": "Only administrators can open this page. If you need it, ask an administrator.",
        "foreign_form": "The request did not come from a page of this site, so nothing was changed.",
        "wrong_token": "The page you had open is no longer valid: perhaps you logged in with another account or changed your "
        "password. Go back, reload the page and try again.",
        "session_ended": "You are no longer logged in",
        "session_ended_text": "Nothing was changed, but what you wrote is not lost yet. Log in in a new window, come back to this "
        "one and send the form again (your browser’s Back button brings it up).",
        "log_in_new": "Log in in a new window",
        "not_there": "There is no such page",
        "not_there_text": "The link may be out of date or mistyped.",
        "wrong_form": "The form is incomplete or has a mistake",
        "wrong_form_text": "Go back and check what you entered.",
        "too_large": "That is too much at once",
        "fault": "A fault on our side",
        "fault_text": "Nothing was done. Try again; if it fails once more, tell whoever looks after the server: its log says what "
        "happened.",
        "unusable": "The staff desk does not work at the moment",
        "unusable_text": "Its data file cannot be opened. Tell whoever looks after the server: its log says why. The chat works "
        "as usual.",
        "not_ready": "The service is still starting",
        "not_ready_text": "Please try again in a few minutes.",
        "go_back": "Go back",
        "password_title": "Change your password",
        "password_rules": "At least {} characters. Three or four words that do not belong together are easiest to keep in mind.",
        "old_password": "Current password",
        "new_password": "New password",
        "new_again": "New password once more",
        "password_changed": "Your password is changed. You were logged out on your other devices.",
        "old_wrong": "The current password is wrong.",
        "not_same": "The new passwords are not the same.",
        "same_as_old": "The new password must differ from the current one.",
        "password_short": "The password is too short: at least {} characters are needed.",
        "password_long": "The password is too long: at most {} characters.",
        "password_guessable": "This password is easy to guess. Take three or four words that do not belong together.",
        "people_title": "Accounts of the staff",
        "role": "Role",
        "roles_told": "Editors keep the documents and write answers. Administrators also keep the accounts and see the whole "
        "activity log.",
        "added_on": "Made",
        "seen_on": "Last logged in",
        "actions": "Actions",
        "you_mark": "(you)",
        "must_change_mark": "has not yet changed the password given out",
        "add_person": "New account",
        "name_hint": "Letters and digits without spaces, such as “rasa.petraityte”. Letters with diacritics are fine.",
        "add_account": "Make the account",
        "make_editor": "Make an editor",
        "make_administrator": "Make an administrator",
        "new_one_time": "Give a new password",
        "end_everywhere": "Log out on all devices",
        "remove_account": "Remove the account",
        "remove_title": "Remove the account “{}”?",
        "remove_text": "This person is logged out at once and can no longer log in. The documents they added and their lines in "
        "the activity log stay.",
        "reset_title": "Give the account “{}” a new password?",
        "reset_text": "The old password stops working at once, and the person is logged out on all devices.",
        "one_time_title": "Password for the account “{}”",
        "one_time_text": "Pass it on in person or by telephone. It is shown this once only. At their first log-in the person will "
        "have to choose a password of their own.",
        "done_noted": "I passed it on, back to the list",
        "role_changed": "The role of “{}” is changed.",
        "account_removed": "The account “{}” is removed.",
        "ended_everywhere": "“{}” is logged out on all devices.",
        "no_such_account": "There is no such account any more.",
        "wrong_name": "This name will not do. Use letters and digits without spaces, at most 64 characters; a dot, a hyphen or @ "
        "may stand inside.",
        "name_taken": "There is an account of this name already.",
        "last_administrator": "This is the last administrator. Make another person an administrator first.",
        "not_yourself": "You cannot remove your own account or change its role. Ask another administrator.",
        "log_title": "Activity log",
        "log_lead": "Who did what, and when. Lines of the log can be neither changed nor deleted.",
        "log_own": "You see what you did yourself; administrators see everybody’s activity.",
        "when": "When",
        "who": "Who",
        "what": "What was done",
        "target": "To what",
        "detail": "Details",
        "everyone": "Everyone",
        "everything": "Everything",
        "log_empty": "There are no such lines.",
        "command_line": "{} (command line of the server)",
        "filter": "Show",
        "csv": "Download CSV",
    },
}

DEEDS: dict[Language, dict[str, str]] = {
    "lt": {
        "account.added": "sukūrė paskyrą",
        "account.removed": "pašalino paskyrą",
        "account.role": "pakeitė paskyros vaidmenį",
        "account.password": "pakeitė paskyros slaptažodį",
        "account.logged_out": "atjungė paskyrą visuose įrenginiuose",
        "login": "prisijungė",
        "login.failed": "bandė prisijungti neteisingu slaptažodžiu",
        "login.locked": "laikinai užblokuota po nesėkmingų bandymų prisijungti",
        "logout": "atsijungė",
    },
    "en": {
        "account.added": "made an account",
        "account.removed": "removed an account",
        "account.role": "changed the role of an account",
        "account.password": "changed the password of an account",
        "account.logged_out": "logged an account out on all devices",
        "login": "logged in",
        "login.failed": "tried to log in with a wrong password",
        "login.locked": "was locked out for a while after failed attempts to log in",
        "logout": "logged out",
    },
}
"""What the keys of the audit log are called; the other parts of the desk have a DEEDS of their own."""


def local(moment: datetime) -> datetime:
    """The moment on the clock of Lithuania; UTC where the system knows no time zones."""
    return moment.astimezone(_ZONE) if _ZONE else moment


def clock(moment: datetime) -> str:
    """The time of day, as both languages write it here: 14:05."""
    return f"{local(moment):%H:%M}"


def told_time(moment: datetime | None, language: Language) -> str:
    """Date and time: „2026 m. lapkričio 23 d., 14:05“, “23 November 2026, 14:05”; "never yet" without a moment."""
    if moment is None:
        return WORDS[language]["never"]
    return f"{told_date(f'{local(moment):%Y-%m-%d}', language)}, {clock(moment)}"

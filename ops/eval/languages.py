"""Chat that is made up, in ten languages: somebody says where a thing is, others chat in between, and the thing is asked for.

It holds no answer that repeats nothing of its question, as real chat does: what is measured is that every script is taken apart, and that a word, a name of code
or what stands in quotes finds the message that holds it.
"""

import random

# The name of a language, how a place is told, how it is asked for, things, places.
LANGUAGES = {
    "english": ("{thing} is {place} now", "where can I find {thing} today?", "the printer|the ladder|the spare key|the projector|the red bicycle|the first aid kit|the label maker|the coffee grinder", "in the cellar|behind the stairs|at the reception|in room four|under the roof|beside the lift"),
    "german": ("{thing} ist jetzt {place}", "wo finde ich heute {thing}?", "der Drucker|die Leiter|der Ersatzschlüssel|der Beamer|das rote Fahrrad|der Verbandskasten|das Etikettiergerät|die Kaffeemühle", "im Keller|hinter der Treppe|am Empfang|in Raum vier|unter dem Dach|neben dem Aufzug"),
    "french": ("{thing} se trouve maintenant {place}", "où puis-je trouver {thing} aujourd'hui ?", "l'imprimante|l'échelle|la clé de réserve|le projecteur|le vélo rouge|la trousse de secours|l'étiqueteuse|le moulin à café", "à la cave|derrière l'escalier|à l'accueil|dans la salle quatre|sous le toit|près de l'ascenseur"),
    "spanish": ("{thing} está ahora {place}", "¿dónde puedo encontrar {thing} hoy?", "la impresora|la escalera|la llave de repuesto|el proyector|la bicicleta roja|el botiquín|la etiquetadora|el molinillo de café", "en el sótano|detrás del mostrador|en la recepción|en la sala cuatro|bajo el tejado|junto al ascensor"),
    "polish": ("{thing} jest teraz {place}", "gdzie dzisiaj znajdę: {thing}?", "drukarka|drabina|zapasowy klucz|rzutnik|czerwony rower|apteczka|drukarka etykiet|młynek do kawy", "w piwnicy|za schodami|w recepcji|w sali czwartej|pod dachem|obok windy"),
    "turkish": ("{thing} şimdi {place}", "bugün {thing} nerede bulunur?", "yazıcı|merdiven|yedek anahtar|projektör|kırmızı bisiklet|ilk yardım çantası|etiket makinesi|kahve değirmeni", "bodrumda|merdivenin arkasında|resepsiyonda|dördüncü odada|çatının altında|asansörün yanında"),
    "russian": ("{thing} теперь {place}", "где сегодня найти {thing}?", "принтер|стремянка|запасной ключ|проектор|красный велосипед|аптечка|принтер этикеток|кофемолка", "в подвале|за лестницей|на ресепшене|в четвёртой комнате|под крышей|у лифта"),
    "greek": ("{thing} είναι τώρα {place}", "πού θα βρω σήμερα {thing};", "ο εκτυπωτής|η σκάλα|το εφεδρικό κλειδί|ο προβολέας|το κόκκινο ποδήλατο|το φαρμακείο|ο ετικετογράφος|ο μύλος του καφέ", "στο υπόγειο|πίσω από τον πάγκο|στη ρεσεψιόν|στην αίθουσα τέσσερα|κάτω από τη στέγη|δίπλα στο ασανσέρ"),
    "chinese": ("{thing}现在{place}", "今天在哪里可以找到{thing}？", "打印机|梯子|备用钥匙|投影仪|红色自行车|急救箱|标签机|咖啡研磨机", "在地下室|在楼梯后面|在前台|在四号房间|在屋顶下面|在电梯旁边"),
    "japanese": ("{thing}は今{place}にあります", "今日{thing}はどこにありますか？", "プリンター|はしご|予備の鍵|プロジェクター|赤い自転車|救急箱|ラベルライター|コーヒーミル", "地下室|階段の裏|受付|四号室|屋根裏|エレベーターの横"),
}
CHATTER = "ok|👍|hm|1 min|:)|brb|+1|…"
CODE = ["parse_header_line", "E0658", "https://example.org/docs/a-b", "libssl.so.3", "CONFAB_LISTEN=0.0.0.0:80", "kernel: oops #42", "user@example.org", "v2.13.7-rc1"]
START_S = 1_700_000_000


def generated() -> dict:
    """In the form of the other excerpts: a channel for each language, and one of code."""
    dice = random.Random(2026)
    days = [day(name, dice, *of) for name, of in LANGUAGES.items()]
    days.append(code(dice))
    return {"days": days, "hidden": [message("mallory", at, "nobody may read this") for at in range(3)]}


def day(name: str, dice: random.Random, told: str, asked: str, things: str, places: str) -> dict:
    texts, questions = [], []
    things, places = things.split("|"), places.split("|")
    for number, thing in enumerate(things):
        texts.append(told.format(thing=thing, place=places[number % len(places)]))
        for words in (asked.format(thing=thing), thing):
            questions.append({"text": words, "grades": {str(len(texts) - 1): 2}})
        texts += dice.choices(CHATTER.split("|"), k=3)
    return {"name": name, "messages": [message(f"person{dice.randrange(5)}", at, text) for at, text in enumerate(texts)], "questions": questions}


def code(dice: random.Random) -> dict:
    texts, questions = [], []
    for name in CODE:
        texts.append(f"the build stops at {name} since this morning")
        questions += [{"text": words, "grades": {str(len(texts) - 1): 2}} for words in (name, f'"{name}"')]
        texts += dice.choices(["the build stops again", "no idea why it stops", "since when?"], k=3)
    return {"name": "code", "messages": [message(f"person{dice.randrange(5)}", at, text) for at, text in enumerate(texts)], "questions": questions}


def message(user: str, at: int, text: str) -> dict:
    return {"user": user, "ts": f"{START_S + 60 * at}.000{at:03}", "text": text}

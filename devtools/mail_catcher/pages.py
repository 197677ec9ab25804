"""The pages of the inbox: HTML without a script but the one that looks for new mails."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from html import escape
from urllib.parse import urlencode

from devtools.mail_catcher.letter import Letter
from devtools.mail_catcher.mails import Summary

PAGE_MAILS = 50

_URL = re.compile(r"https?://[^\s<>\"']+")


def inbox_page(mails: list[Summary], *, count: int, search: str) -> str:
    """The list, newest first."""
    rows = "".join(_row(mail) for mail in mails) or f"<li class=empty>{_nothing(search)}</li>"
    newest = mails[0].number if mails else 0
    return _page(
        "Inbox",
        f"""<header><h1><a href="/">Inbox</a> <small>{count}</small></h1>
<form class=search role=search><input type=search name=search value="{escape(search)}"
 placeholder="Search" aria-label="Search in mails"></form>
<form method=post action="/delete-all"><button>Delete all</button></form></header>
<main><ol class=mails data-seen="{count} {newest}">{rows}</ol>{_older(mails, search)}</main>
<script src="/inbox.js"></script>""",
    )


def mail_page(mail: Summary, letter: Letter) -> str:
    """One mail: its HTML in a frame that may run nothing, its text, its headers."""
    html = (
        f'<iframe sandbox="allow-popups allow-popups-to-escape-sandbox" title="HTML of the mail"'
        f' src="/messages/{mail.number}/html"></iframe>'
        if letter.html
        else "<p class=empty>This mail has no HTML.</p>"
    )
    return _page(
        mail.subject or "No subject",
        f"""<header><h1><a href="/">Inbox</a></h1></header>
<main><h2>{escape(mail.subject) or "No subject"}</h2>
<p class=envelope>{escape(", ".join(mail.recipients))} · {_time(mail)}
 · <a href="/messages/{mail.number}/raw">source</a></p>
<section><h3>HTML</h3>{html}</section>
<section><h3>Text</h3><pre>{_linked(letter.text)}</pre></section>
<section><h3>Headers</h3><table>{_headers(letter.headers)}</table></section></main>""",
    )


def error_page(sentence: str) -> str:
    """A page that says what is wrong."""
    body = f'<header><h1><a href="/">Inbox</a></h1></header><main><p>{escape(sentence)}</p></main>'
    return _page(sentence, body)


def framed_html(html: str) -> str:
    """The HTML of a mail, whose links open beside the inbox."""
    base = '<base target="_blank">'
    return re.sub(r"(<head\b[^>]*>)", rf"\1{base}", html, count=1, flags=re.IGNORECASE)


def _page(title: str, body: str) -> str:
    return f"""<!doctype html><html lang=en><meta charset=utf-8><title>{escape(title)} · mail catcher</title>
<meta name=viewport content="width=device-width, initial-scale=1"><link rel=icon href="data:,">
<link rel=stylesheet href="/style.css"><body>{body}</body></html>"""


def _row(mail: Summary) -> str:
    subject, recipients = escape(mail.subject) or "No subject", escape(", ".join(mail.recipients))
    words = f"<b>{subject}</b><span>{recipients}</span>{_time(mail)}"
    return f'<li><a href="/messages/{mail.number}">{words}</a></li>'


def _time(mail: Summary) -> str:
    moment = datetime.fromtimestamp(mail.received_at, UTC)
    return f'<time datetime="{moment.isoformat()}">{moment:%Y-%m-%d %H:%M:%S} UTC</time>'


def _older(mails: list[Summary], search: str) -> str:
    if len(mails) < PAGE_MAILS:
        return ""
    query = urlencode({"search": search, "before": mails[-1].number})
    return f'<p><a href="/?{escape(query)}">Older</a></p>'


def _nothing(search: str) -> str:
    return "No mail has this text." if search else "No mail has come yet."


def _linked(text: str) -> str:
    parts, end = list[str](), 0
    for found in _URL.finditer(text):
        url = escape(found[0])
        parts += [
            escape(text[end : found.start()]),
            f'<a href="{url}" target=_blank rel="noopener noreferrer">{url}</a>',
        ]
        end = found.end()
    return "".join([*parts, escape(text[end:])])


def _headers(headers: Iterable[tuple[str, str]]) -> str:
    return "".join(f"<tr><th scope=row>{escape(name)}<td>{escape(value)}" for name, value in headers)

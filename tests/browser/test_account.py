"""A customer's account on its pages, with the mails that belong to it."""

import re

from playwright.sync_api import Page, expect

from devtools.driver.inbox import Inbox
from devtools.driver.shop import Caller, eventually
from tests.browser.requirements import require_accessible

NEW_PASSWORD = "lantern-meadow-7"


def link_in_mail(inbox: Inbox, address: str, subject: str) -> str:
    """The path of the link in the last mail to this address with this subject."""
    mails = eventually(
        lambda: [mail for mail in inbox.mails(subject) if address in mail.recipients],
        f"a mail to {address}: {subject}",
    )
    text = inbox.content(mails[0])["text"]
    found = re.search(r"https?://[^/\s]+(/account/\S+)", text)
    assert found, text
    return found[1]


def test_a_customer_changes_the_account_and_gets_in_again_without_the_password(
    customer: Page, visitor: Page, account: Caller, inbox: Inbox
) -> None:
    address = f"{account.name}-new@example.com"
    customer.goto("/account/")
    customer.get_by_label("First name").fill("Zoë")
    customer.get_by_role("button", name="Save the names").click()
    expect(customer.get_by_text("Your names are saved.")).to_be_visible()
    expect(customer.get_by_label("First name")).to_have_value("Zoë")

    customer.get_by_role("textbox", name="E-mail address").fill(address)
    customer.get_by_role("button", name="Save the address").click()
    expect(customer.get_by_text(f"{address} is not confirmed yet")).to_be_visible()
    customer.goto(link_in_mail(inbox, address, "Confirm your e-mail address"))
    require_accessible(customer)
    customer.get_by_role("button", name="Confirm").click()
    expect(customer.get_by_text("Your e-mail address is confirmed.")).to_be_visible()
    customer.get_by_role("link", name="Go to your account").click()
    expect(customer.get_by_role("textbox", name="E-mail address")).to_have_value(address)

    visitor.goto("/login/?next=/account/")
    visitor.get_by_role("link", name="Password forgotten?").click()
    visitor.get_by_role("textbox", name="E-mail address").fill(address)
    visitor.get_by_role("button", name="Send me the link").click()
    expect(visitor.get_by_text("If there is an account with this address")).to_be_visible()
    visitor.goto(link_in_mail(inbox, address, "Set a new password"))
    visitor.get_by_label("New password").fill(NEW_PASSWORD)
    require_accessible(visitor)
    visitor.get_by_role("button", name="Set the password").click()
    visitor.get_by_role("link", name="Sign in").click()
    visitor.get_by_label("User name").fill(account.name)
    visitor.get_by_label("Password", exact=True).fill(NEW_PASSWORD)
    visitor.get_by_role("button", name="Sign in").click()
    expect(visitor.get_by_text(account.name)).to_be_visible()

    customer.reload()
    expect(customer).to_have_url(re.compile(r"/login/\?next=/account/$"))

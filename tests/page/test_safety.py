"""Nothing is requested, nothing from outside runs, and hostile names are shown as they are."""

from __future__ import annotations

from pathlib import Path

from tests.support.page_boards import HOSTILE
from tests.support.page_browser import Browser


def test_nothing_is_requested_and_nothing_goes_wrong(opened: Browser, sample_file: Path) -> None:
    opened.run("new Promise((done) => requestAnimationFrame(() => setTimeout(done, 100)))")
    assert opened.requests() == [sample_file.as_uri()]
    assert opened.errors() == []


def test_the_policy_forbids_requests_and_foreign_scripts(opened: Browser) -> None:
    outcome = opened.run(
        """new Promise((done) => {
          const image = document.body.appendChild(new Image());
          image.onerror = () => done("refused");
          image.onload = () => done("loaded");
          image.src = "https://127.0.0.1:9/x.png";
        })"""
    )
    script = opened.run(
        """(() => {
          const script = document.createElement("script");
          script.textContent = "document.title = 'broken'";
          document.body.append(script);
          document.body.insertAdjacentHTML("beforeend", "<img id=evil onerror=\\"document.title='broken'\\" src=x>");
          return document.title;
        })()"""
    )
    opened.run("new Promise((done) => setTimeout(done, 100))")
    assert outcome == "refused"
    assert script == opened.run("document.title") == "sample: cross-lingual transfer"
    assert any("Content Security Policy" in entry for entry in opened.errors())


def test_hostile_names_are_shown_as_they_are(browser: Browser, hostile_file: Path) -> None:
    browser.open(hostile_file)
    browser.choose('[data-state="text"]', "onerror")
    browser.choose('[data-state="text"]', "")
    browser.run("document.querySelectorAll('th button, [role=tab]').forEach((b) => b.click())")
    browser.run("document.querySelectorAll('#s1 tbody a').forEach((a) => a.click())")
    browser.run("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    browser.choose('[data-state="order"]', "script")
    assert browser.run("document.title") == f"{HOSTILE[0]}: cross-lingual transfer"
    assert browser.count("img, script:not([id]), a[href^=http]") == 1
    assert set(HOSTILE[:6]) <= set(browser.texts("#s1 .row-link"))
    assert browser.requests() == [hostile_file.as_uri()]
    assert browser.errors() == []

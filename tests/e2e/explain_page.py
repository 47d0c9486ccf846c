"""The page of `vmcred explain --html` as people use it. explain_page.py PAGE FOLDER-FOR-PICTURES"""

import sys

from browser import Browser

page, pictures = sys.argv[1], sys.argv[2]

# Every text that is seen, and how much it stands out (WCAG 2.2, 1.4.3: 4.5 to 1).
FAINT_TEXTS = """(() => {
  const channels = (color) => color.match(/[\\d.]+/g).map(Number);
  const light = (rgb) => { const [r, g, b] = rgb.map((v) => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
    return .2126 * r + .7152 * g + .0722 * b; };
  const behind = (e) => { for (; e; e = e.parentElement) { const c = channels(getComputedStyle(e).backgroundColor);
    if (c.length < 4 || c[3] > 0) return c.slice(0, 3); } return [255, 255, 255]; };
  const found = [];
  for (const e of document.querySelectorAll('body *')) {
    if (!e.checkVisibility() || ![...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim())) continue;
    const [a, b] = [light(channels(getComputedStyle(e).color).slice(0, 3)), light(behind(e))];
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < 4.5) found.push(`${e.className || e.tagName} '${e.textContent.slice(0, 20)}' ${ratio.toFixed(2)}`);
  }
  return found;
})()"""

# Buttons and fields that a screen reader could not name.
NAMELESS = """[...document.querySelectorAll('button, input')].filter((e) => e.checkVisibility() &&
  !(e.getAttribute('aria-label') || e.textContent.trim() || (e.labels && e.labels.length))).map((e) => e.outerHTML.slice(0, 80))"""


def expect(what, seen, wanted):
    if seen != wanted:
        sys.exit(f"{what}: expected {wanted!r}, saw {seen!r}")


def looks_right(browser, what):
    expect(f"{what}: texts too faint", browser.run(FAINT_TEXTS), [])
    expect(f"{what}: without a name", browser.run(NAMELESS), [])
    expect(f"{what}: wider than the screen", browser.run("document.documentElement.scrollWidth > innerWidth"), False)
    browser.picture(f"{pictures}/explain-{what}.png")


def focused(browser):
    return browser.run("document.activeElement.textContent")


with Browser() as browser:
    browser.screen(1440, 900)
    browser.open(page)
    looks_right(browser, "all-light")
    expect("tiles", browser.run("document.querySelectorAll('.tile').length"), 2)

    # A vm, then one of its credentials, by mouse.
    browser.click("[data-vm=web]")
    expect("title", browser.run("document.querySelector('h2').textContent"), "web")
    looks_right(browser, "vm-light")
    expect("columns", browser.run("new Set([...document.querySelectorAll('.node')].map((n) => n.style.left)).size"), 6)
    expect("ways", browser.run("[...document.querySelectorAll('.stage path')].every((p) => p.getTotalLength() > 10)"), True)
    browser.click(".node[aria-pressed]")
    expect("steps", browser.run("[...document.querySelectorAll('.follow .kind')].map((k) => k.textContent.split(':')[0]).join()"),
           "Generator,Store,Host,Channel,Guest,Service")
    expect("findings in place", browser.run("[...document.querySelectorAll('.follow .step:nth-child(2) .code')].map((c) => c.textContent).join()"),
           "VC006,VC007")
    browser.picture(f"{pictures}/explain-follow-light.png", whole=True)

    # By keyboard: Escape lets go, / filters, Enter takes the first, arrows move, Enter follows.
    browser.press("Escape")
    expect("let go", browser.run("document.querySelectorAll('.follow .step').length"), 0)
    browser.press("/")
    for letter in "postfix":
        browser.press(letter)
    expect("filtered", browser.run("[...document.querySelectorAll('#vms li')].filter((e) => e.checkVisibility()).map((e) => e.querySelector('.who').textContent).join()"),
           "All vms,mail")
    browser.press("Enter")
    expect("chosen", browser.run("document.querySelector('h2').textContent"), "mail")
    browser.press("Escape")
    browser.click("[data-vm=web]")
    browser.run("document.querySelector('.node[aria-pressed]').focus()")
    browser.press("ArrowDown")
    browser.press("Enter")
    expect("followed", browser.run("location.hash"), "#web/" + focused(browser).split()[0])
    expect("kept focus", browser.run("document.activeElement.getAttribute('aria-pressed')"), "true")

    # The other colours: as the system says, and by the switch.
    paper = "getComputedStyle(document.body).backgroundColor"
    light = browser.run(paper)
    browser.screen(1440, 900, dark=True)
    dark = browser.run(paper)
    if light == dark:
        sys.exit("the page does not follow the system's dark mode")
    looks_right(browser, "vm-dark")
    browser.click("#theme")
    expect("switched", browser.run(paper), light)
    browser.click("#theme")

    for dark_phone, name in ((False, "phone-light"), (True, "phone-dark")):
        browser.screen(390, 844, dark=dark_phone, phone=True)
        looks_right(browser, name)
        expect("open card", browser.run("document.querySelectorAll('.list [aria-expanded=true]').length"), 1)
        expect("small targets", browser.run("[...document.querySelectorAll('button')].filter((e) => e.checkVisibility() && e.getBoundingClientRect().height < 40).length"), 0)

    # Nothing ran that is not ours, nothing was asked for, no value is in it.
    expect("title", browser.run("document.title"), "vmcred: credentials")
    expect("foreign elements", browser.run("document.querySelectorAll('img, main b ~ script, body > b').length"), 0)
    expect("problems", browser.problems(), [])
    expect("values", browser.run("document.documentElement.outerHTML.includes('canary-production')"), False)

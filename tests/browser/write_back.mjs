// The form behind a signed link, in a browser: write_back.mjs LINK OTHER_LINK PICTURES
// Fills in and sends the form of LINK using only the keyboard, and prints what the page then says. Opens the form of OTHER_LINK as
// on a phone in dark mode, and sends nothing.

import { expect, fits, withPage } from "./browser.mjs";

const [link, otherLink, pictures] = process.argv.slice(2);

const sent = {};
await withPage({ pictures }, async (page, shot) => {
  await page.goto(link);
  expect(await page.getByRole("heading").textContent(), "Generate quote");
  expect(await page.locator(":focus").getAttribute("name"), "comment");
  await shot("form");
  await page.keyboard.type("By <b>keyboard</b> & more");
  await page.keyboard.press("Tab");
  await page.keyboard.type("7.5");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  // A page that waits for the database reloads itself until it has the result.
  await page.getByRole("heading", { name: "Quote generated" }).waitFor({ timeout: 60_000 });
  await shot("generated");
  const terms = await page.locator("dt").allTextContents();
  const values = await page.locator("dd").allTextContents();
  terms.forEach((term, index) => (sent[term] = values[index]));
});

await withPage({ dark: true, phone: true, pictures }, async (page, shot) => {
  await page.goto(otherLink);
  expect(await page.getByLabel("Comment (optional)").isVisible(), true);
  // Nothing may require scrolling sideways.
  expect(await fits(page), true);
  await shot("form-dark-phone");
});

console.log(JSON.stringify(sent));

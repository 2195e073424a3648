// The installation of the Slack app in a browser: slack_connector.mjs install|revoke LINK PICTURES
// Follows a start link to the consent page of the stand-in and back, and then tries to come back a second time; or follows one that
// revokes the token. Prints the text of the last page.

import { expect, fits, withPage } from "./browser.mjs";

const [purpose, link, pictures] = process.argv.slice(2);

const seen = {};
// Coming back twice is answered with 400, which Chromium notes.
await withPage({ pictures, expected: [/status of 400/] }, async (page, shot) => {
  await page.goto(link);
  expect(await page.getByText("ada@example.com").isVisible(), true);
  await shot(`slack-${purpose}`);
  if (purpose === "revoke") {
    await page.getByRole("button", { name: "Revoke the token" }).click();
    await page.getByRole("heading", { name: "Slack is disconnected" }).waitFor();
    await shot("slack-revoked");
    seen.said = await page.getByRole("status").textContent();
    return;
  }
  await page.getByRole("button", { name: "Continue to Slack" }).click();
  await page.getByRole("button", { name: "Allow" }).waitFor();
  // A different site from ours, so that coming back from it works as it does with Slack.
  expect(new URL(page.url()).hostname === new URL(link).hostname, false);
  const cookies = await page.context().cookies();
  const { name, secure, httpOnly, sameSite, path } = cookies.find((cookie) => cookie.name.startsWith("__Host-"));
  expect({ name, secure, httpOnly, sameSite, path }, { name: "__Host-slack-install", secure: true, httpOnly: true, sameSite: "Lax", path: "/" });
  await page.getByRole("button", { name: "Allow" }).click();
  await page.getByRole("heading", { name: "Slack is connected" }).waitFor();
  await shot("slack-connected");
  seen.said = await page.getByRole("status").textContent();
  seen.page = await page.content();
  expect((await page.context().cookies()).some((cookie) => cookie.name.startsWith("__Host-")), false);
  const again = await page.goto(page.url());
  seen.again = again.status();
});

// On a phone in dark mode: a used link is rejected, and its page is complete.
await withPage({ dark: true, phone: true, pictures, expected: [/status of 410/] }, async (page, shot) => {
  await page.goto(link);
  await page.getByRole("button").click();
  await page.getByRole("heading", { name: "This link has already been used" }).waitFor();
  expect(await fits(page), true);
  await shot(`slack-${purpose}-used-dark-phone`);
});

console.log(JSON.stringify(seen));

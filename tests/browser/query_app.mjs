// The query app as two people use it: query_app.mjs PAGE MAILBOX PICTURES
// PAGE is its URL, MAILBOX what the emulator would have mailed. Prints the number of steps.

import { createHmac } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";

import { LONGEST_WAIT, eventually, expect, fits, withPage } from "./browser.mjs";

const [origin, mailbox, pictures] = process.argv.slice(2);

const PASSWORD = "Correct-horse-battery-1";
const NEW_PASSWORD = "Another-horse-battery-2";
/** A run of a query, on a slow machine that has more to do; milliseconds. */
const LONGEST_RUN = 180_000;
let steps = 0;

/** Names the step that fails. */
async function step(what, work) {
  try {
    const result = await work();
    steps += 1;
    return result;
  } catch (error) {
    throw new Error(`${what}: ${error.message}`, { cause: error });
  }
}

/** The newest code that was mailed to somebody, after those that are known. */
async function mailedCode(address, known = 0) {
  let all = [];
  for (const giveUp = Date.now() + LONGEST_WAIT; Date.now() < giveUp; await pause(100)) {
    const { messages } = await (await fetch(mailbox)).json();
    all = Object.values(messages).flat();
    const theirs = all.filter((it) => it.To.includes(address));
    const code = theirs.length > known && /\b(\d{6})\b/.exec(theirs.at(-1).BodyText || theirs.at(-1).BodyHtml);
    if (code) return { code: code[1], count: theirs.length };
  }
  throw new Error(`no code was mailed to ${address}, but to ${all.flatMap((it) => it.To).join(", ") || "nobody"}`);
}

/**
 * What an authenticator app shows now: https://www.rfc-editor.org/rfc/rfc6238. The emulator accepts it for half a minute longer, and
 * more than once.
 */
function authenticatorCode(secret) {
  const bits = [...secret.replaceAll("=", "")].map((it) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(it).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((it) => parseInt(it, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)));
  const mac = createHmac("sha1", key).update(counter).digest();
  const at = mac[19] & 15;
  return String((mac.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

const button = (page, name) => page.getByRole("button", { name, exact: true });
const field = (page, name) => page.getByLabel(name, { exact: true });
const state = (page, text) => page.locator(".state").getByText(text, { exact: true }).waitFor({ timeout: LONGEST_RUN });
const heading = (page, name) => page.getByRole("heading", { name, exact: true }).waitFor();
const connected = (page) => page.getByText("Connected", { exact: true }).waitFor();

async function enter(page, email, password) {
  await field(page, "E-mail address").fill(email);
  await field(page, "Password").fill(password);
  await page.keyboard.press("Enter");
}

/** Signs up, by keyboard alone. */
async function signUp(page, email) {
  await page.goto(origin);
  await heading(page, "Sign in");
  await button(page, "Create an account").focus();
  await page.keyboard.press("Enter");
  await heading(page, "Create an account");
  await page.keyboard.type(email);
  await page.keyboard.press("Tab");
  await page.keyboard.type(PASSWORD);
  await page.keyboard.press("Enter");
  await heading(page, "Verify your address");
  const { code } = await mailedCode(email);
  await page.keyboard.type(code === "000000" ? "111111" : "000000");
  await page.keyboard.press("Enter");
  await page.getByText("This code is wrong.").waitFor();
  await field(page, "Code").fill(code);
  await page.keyboard.press("Enter");
  await connected(page);
}

const refusals = [/status of 400/];

await withPage({ pictures, expected: refusals }, async (ada, shot) => {
  // Between the page and the service, so that a connection can be cut.
  const line = { connections: 0, isToBeCut: false };
  await ada.routeWebSocket(/^ws:/, (socket) => {
    const server = socket.connectToServer();
    line.connections += 1;
    server.onMessage((text) => {
      socket.send(text);
      if (!line.isToBeCut || JSON.parse(text).type !== "accepted") return;
      line.isToBeCut = false;
      server.close({ code: 4001 });
      socket.close({ code: 1001 });
    });
  });

  await step("signing up", () => signUp(ada, "ada.browser@example.com"));
  await step("what is there before a run", async () => {
    expect(await ada.evaluate(() => document.activeElement.className), "workspace");
    // The queries do not come over the connection.
    await ada.getByRole("radio").first().waitFor();
    await ada.keyboard.press("Tab");
    expect(await ada.locator(":focus").getAttribute("type"), "radio");
    await shot("query-empty");
  });
  await step("a run shows its table and chart", async () => {
    await ada.getByRole("radio", { name: "Trips of a month" }).check();
    await field(ada, "Month").fill("2015-03");
    await button(ada, "Run").click();
    await state(ada, "31 rows");
    await ada.locator(".chart canvas").waitFor();
    await eventually(() => ada.locator(".table tbody tr").count(), 31);
    await shot("query-result");
  });
  await step("a column sorts, downwards by a second click", async () => {
    const header = ada.getByRole("columnheader", { name: "Trips", exact: true });
    const sort = async (direction) => {
      await header.getByRole("button").click();
      await eventually(() => header.getAttribute("aria-sort"), direction);
      const cells = await ada.locator(".table tbody td:nth-child(2)").allTextContents();
      return cells.map((it) => Number(it.replaceAll(",", "")));
    };
    const upwards = await sort("ascending");
    expect(upwards, [...upwards].sort((a, b) => a - b));
    expect(await sort("descending"), [...upwards].sort((a, b) => b - a));
  });
  await step("the result is downloaded", async () => {
    const [download] = await Promise.all([ada.waitForEvent("download"), button(ada, "Download CSV").click()]);
    const lines = Buffer.concat(await (await download.createReadStream()).toArray()).toString().trim().split(/\r?\n/);
    expect([lines.length, lines[0].split(",")[0].replaceAll('"', "")], [32, "pickup_date"]);
    expect(download.suggestedFilename(), "taxi-month-2015-03.csv");
  });
  await step("a query that takes long is cancelled", async () => {
    await ada.getByRole("radio", { name: "A slow one" }).check();
    await field(ada, "Seconds").fill("60");
    await button(ada, "Run").click();
    await state(ada, "Running …");
    await shot("query-running");
    await button(ada, "Cancel").click();
    await state(ada, "Cancelled");
  });
  await step("a connection that is cut comes back with the result", async () => {
    const before = line.connections;
    line.isToBeCut = true;
    await field(ada, "Seconds").fill("4");
    await button(ada, "Run").click();
    await state(ada, "1 row");
    await connected(ada);
    expect([line.isToBeCut, line.connections > before], [false, true]);
  });
  await step("a large result comes by pages", async () => {
    await ada.getByRole("radio", { name: "Every trip" }).check();
    await button(ada, "Run").click();
    await state(ada, "10,000 rows");
    await eventually(() => ada.locator(".table tbody tr").count(), 100);
    await button(ada, "Next").click();
    await ada.getByText("Rows 101 to 200 of 10,000").waitFor();
    await ada.getByText("A result has at most 10,000 rows.").waitFor();
    await shot("query-large");
  });
  await step("a former run is seen again", async () => {
    await ada.getByRole("button", { name: /Trips of a month/ }).click();
    await state(ada, "31 rows");
  });

  await withPage({ pictures, dark: true, phone: true, expected: refusals }, async (bob, shotOfBob) => {
    await step("a second person signs up, on a phone in dark mode", async () => {
      await bob.goto(origin);
      await heading(bob, "Sign in");
      await shotOfBob("query-sign-in-dark-phone");
      await signUp(bob, "bob.browser@example.com");
      expect(await bob.getByText("Last 24 hours").count(), 0);
    });
    await step("whose query ends although the first one goes", async () => {
      await bob.getByRole("radio", { name: "A slow one" }).check();
      await field(bob, "Seconds").fill("4");
      await button(bob, "Run").click();
      await state(bob, "Running …");
      await button(ada, "Sign out").click();
      await heading(ada, "Sign in");
      await state(bob, "1 row");
      await connected(bob);
    });
    await step("and who sees a chart without scrolling sideways", async () => {
      await bob.getByRole("radio", { name: "Trips by hour of the day" }).check();
      await field(bob, "First day").fill("2015-05-01");
      await field(bob, "Last day").fill("2015-05-31");
      await button(bob, "Run").click();
      await state(bob, "24 rows");
      await bob.locator(".chart canvas").waitFor();
      await eventually(() => fits(bob), true);
      await shotOfBob("query-result-dark-phone");
    });
  });

  await step("nothing is kept of who has gone", async () => {
    expect(await ada.evaluate(() => [localStorage.length, sessionStorage.length, document.cookie]), [0, 0, ""]);
    expect(await ada.getByText("31 rows").count(), 0);
  });
  await step("a forgotten password is replaced", async () => {
    const known = (await mailedCode("ada.browser@example.com")).count;
    await button(ada, "Forgotten password").click();
    await field(ada, "E-mail address").fill("ada.browser@example.com");
    await ada.keyboard.press("Enter");
    await heading(ada, "Choose a new password");
    const { code } = await mailedCode("ada.browser@example.com", known);
    await field(ada, "Code").fill(code);
    await field(ada, "New password").fill(NEW_PASSWORD);
    await ada.keyboard.press("Enter");
    await ada.getByText("Your new password is saved.").waitFor();
    await enter(ada, "ada.browser@example.com", PASSWORD);
    await ada.getByText("The e-mail address or the password is wrong.").waitFor();
    await shot("query-wrong-password");
    await field(ada, "Password").fill(NEW_PASSWORD);
    await ada.keyboard.press("Enter");
    await connected(ada);
  });
  await step("an authenticator app becomes the second step", async () => {
    await button(ada, "Two-step sign-in").click();
    const secret = (await ada.locator(".secret code").textContent()).replaceAll(" ", "");
    await shot("query-two-steps");
    await field(ada, "Code from the app").fill(authenticatorCode(secret));
    await button(ada, "Turn on").click();
    await ada.getByText("From now on").waitFor();
    await button(ada, "Sign out").click();
    await enter(ada, "ada.browser@example.com", NEW_PASSWORD);
    await heading(ada, "Second step");
    await field(ada, "Code from the app").fill(authenticatorCode(secret));
    await ada.keyboard.press("Enter");
    await connected(ada);
  });
});

console.log(JSON.stringify({ steps: `${steps} steps` }));

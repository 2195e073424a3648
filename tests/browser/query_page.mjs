// The query page against a scripted service: query_page.mjs FOLDER PICTURES
// FOLDER is what scripts/build-site made. What a running service answers seldom is tried here; query_app.mjs runs the real thing.

import { eventually, expect, fits, withPage } from "./browser.mjs";
import { readQrCode } from "./qr_code.mjs";
import { PAGE, queries, refuse, serve, tokens } from "./scripted_service.mjs";

const [folder, pictures] = process.argv.slice(2);

const COLUMNS = [
  { name: "pickup_date", label: "Day", type: "date", nullable: false },
  { name: "trips", label: "Trips", type: "integer", nullable: false },
  { name: "income", label: "Income", type: "decimal", nullable: true },
  { name: "note", label: "Note", type: "text", nullable: true },
];
const day = (number) => `2015-01-${String(number).padStart(2, "0")}`;
const ROWS = Array.from({ length: 31 }, (_, at) => [day(at + 1), 9000 + ((at * 7919) % 4000), `${at * 1013}.50`, at === 3 ? null : at === 4 ? "<img src=x onerror=alert(1)>" : `day ${at + 1}`]);

/** A server that answers each run by `play(send, message)`; `all` are the messages of all sockets so far. */
function server(play) {
  const all = [];
  const connections = [];
  const socket = (connection) => {
    connections.push(connection);
    connection.onMessage((text) => {
      const message = JSON.parse(text);
      all.push(message);
      const send = (answer) => connection.send(JSON.stringify(answer));
      if (message.action === "ping") send({ type: "pong" });
      play(send, message, connections.length);
    });
  };
  return { all, connections, socket };
}

const answers = (send, { action, requestId }) => {
  if (action !== "run") return;
  send({ type: "accepted", requestId });
  send({ type: "rows", requestId, seq: 0, last: false, columns: COLUMNS, rows: ROWS.slice(0, 20), total: 31 });
  send({ type: "rows", requestId, seq: 1, last: true, rows: ROWS.slice(20) });
};

async function signIn(page) {
  await page.goto(`${PAGE}/`);
  await page.getByLabel("E-mail address").fill("ada@example.com");
  await page.getByLabel("Password", { exact: true }).fill("Correct-horse-1");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByText("Connected").waitFor();
}

const trials = {
  async "a run shows its table and chart, sorted by a click"(options) {
    await withPage({ pictures, ...options }, async (page, shot) => {
      await serve(page, { folder, socket: server(answers).socket });
      await signIn(page);
      await shot("page-before");
      await page.getByRole("button", { name: "Run" }).click();
      await page.getByRole("status").filter({ hasText: "31 rows" }).waitFor();
      await page.locator(".chart canvas").waitFor();
      await shot("page-result");
      await page.getByRole("button", { name: "Trips", exact: true }).click();
      await page.getByRole("button", { name: "Trips", exact: true }).click();
      await eventually(() => page.getByRole("columnheader", { name: "Trips" }).getAttribute("aria-sort"), "descending");
      const highest = Math.max(...ROWS.map((row) => row[1])).toLocaleString("en-US");
      await eventually(() => page.locator(".table tbody tr").first().locator("td").nth(1).textContent(), highest);
      await page.getByText("<img src=x onerror=alert(1)>").waitFor();
    });
  },
  async "a phone in the dark needs no scrolling sideways"() {
    await withPage({ pictures, dark: true, phone: true }, async (page, shot) => {
      await serve(page, { folder, socket: server(answers).socket });
      await page.goto(`${PAGE}/`);
      await page.getByRole("heading").waitFor();
      await shot("page-sign-in-dark-phone");
      await signIn(page);
      await page.getByRole("button", { name: "Run" }).click();
      await page.locator(".chart canvas").waitFor();
      await eventually(() => fits(page), true);
      await shot("page-result-dark-phone");
    });
  },
  async "what Cognito refuses is said in a sentence"() {
    let refusal = refuse("NotAuthorizedException", "Incorrect username or password.");
    const cognito = { RespondToAuthChallenge: () => refusal, ConfirmSignUp: () => refuse("ExpiredCodeException"), SignUp: () => ({ body: { UserConfirmed: false, UserSub: "s", CodeDeliveryDetails: { DeliveryMedium: "EMAIL", Destination: "a***" } } }) };
    await withPage({ pictures, expected: [/400|ERR_FAILED/] }, async (page, shot) => {
      await serve(page, { folder, cognito, socket: server(answers).socket });
      await page.goto(`${PAGE}/`);
      const enter = () => page.getByRole("button", { name: "Sign in" }).click();
      const says = (text) => page.getByRole("alert").getByText(text).waitFor();
      await enter();
      await page.getByText("type your e-mail address").waitFor();
      await eventually(() => page.locator(":focus").getAttribute("name"), "email");
      await page.getByLabel("E-mail address").fill("ada@example.com");
      await page.getByLabel("Password", { exact: true }).fill("wrong");
      await enter();
      await says("The e-mail address or the password is wrong.");
      await shot("page-wrong-password");
      refusal = refuse("LimitExceededException");
      await enter();
      await says("That was tried too often.");
      refusal = "no answer";
      await enter();
      await says("There is no connection.");
      await page.getByRole("button", { name: "Create an account" }).click();
      await page.getByLabel("Password", { exact: true }).fill("Correct-horse-1");
      await page.getByRole("button", { name: "Create account" }).click();
      await page.getByRole("heading", { name: "Verify your address" }).waitFor();
      await page.getByLabel("Code").fill("123456");
      await page.getByRole("button", { name: "Verify" }).click();
      await says("This code has expired.");
      await shot("page-expired-code");
    });
  },
  async "an authenticator code and a first password are asked for"() {
    const steps = [
      { body: { ChallengeName: "NEW_PASSWORD_REQUIRED", Session: "s1", ChallengeParameters: { requiredAttributes: "[]", userAttributes: "{}" } } },
      { body: { ChallengeName: "SOFTWARE_TOKEN_MFA", Session: "s2", ChallengeParameters: {} } },
      tokens(),
    ];
    await withPage({ pictures }, async (page, shot) => {
      await serve(page, { folder, signUp: false, cognito: { RespondToAuthChallenge: () => steps.shift() }, socket: server(answers).socket });
      await page.goto(`${PAGE}/`);
      await page.getByLabel("E-mail address").fill("ada@example.com");
      expect(await page.getByRole("button", { name: "Create an account" }).count(), 0);
      await page.getByLabel("Password", { exact: true }).fill("Temporary-1!");
      await page.keyboard.press("Enter");
      await page.getByLabel("New password").fill("Correct-horse-1");
      await page.keyboard.press("Enter");
      await page.getByLabel("Code of the app").fill("123 456");
      await shot("page-second-step");
      await page.keyboard.press("Enter");
      await page.getByText("Connected").waitFor();
      expect(await page.evaluate(() => [localStorage.length, sessionStorage.length, document.cookie]), [0, 0, ""]);
    });
  },
  async "a screen has its focus by the time that it can be seen"() {
    await withPage({ pictures }, async (page) => {
      // Looks right after each change of the page, before anything is painted.
      await page.addInitScript(() => {
        window.focusOfScreens = {};
        const look = () => {
          const screen = document.querySelector(".workspace") ? "workspace" : document.querySelector("#screen-title")?.textContent;
          if (screen) window.focusOfScreens[screen] ??= document.activeElement.name ?? document.activeElement.className;
        };
        new MutationObserver(look).observe(document, { subtree: true, childList: true, characterData: true });
      });
      await serve(page, { folder, socket: server(answers).socket });
      await page.goto(`${PAGE}/`);
      await page.getByRole("button", { name: "Create an account" }).click();
      await page.getByRole("button", { name: "Sign in instead" }).click();
      await page.getByLabel("E-mail address").fill("ada@example.com");
      await page.getByLabel("Password", { exact: true }).fill("Correct-horse-1");
      await page.keyboard.press("Enter");
      await page.getByText("Connected").waitFor();
      expect(await page.evaluate(() => window.focusOfScreens), { "Sign in": "email", "Create an account": "email", workspace: "workspace" });
    });
  },
  async "where an authenticator is required, it is set up at the first sign-in"() {
    const steps = [
      { body: { ChallengeName: "MFA_SETUP", Session: "s1", ChallengeParameters: { MFAS_CAN_SETUP: '["SOFTWARE_TOKEN_MFA"]' } } },
      tokens(),
    ];
    const cognito = {
      RespondToAuthChallenge: () => steps.shift(),
      AssociateSoftwareToken: () => ({ body: { SecretCode: "ABCDEFGHIJKLMNOP", Session: "s2" } }),
      VerifySoftwareToken: ({ UserCode }) => (UserCode === "123456" ? { body: { Status: "SUCCESS", Session: "s3" } } : refuse("EnableSoftwareTokenMFAException")),
    };
    await withPage({ pictures, expected: [/400/] }, async (page, shot) => {
      await serve(page, { folder, cognito, socket: server(answers).socket });
      await page.goto(`${PAGE}/`);
      await page.getByLabel("E-mail address").fill("ada@example.com");
      await page.getByLabel("Password", { exact: true }).fill("Correct-horse-1");
      await page.keyboard.press("Enter");
      await page.getByText("ABCD EFGH IJKL MNOP").waitFor();
      await page.getByLabel("Code of the app").fill("000000");
      await page.keyboard.press("Enter");
      await page.getByText("This code is wrong.").waitFor();
      await shot("page-set-up");
      await page.getByLabel("Code of the app").fill("123456");
      await page.keyboard.press("Enter");
      await page.getByText("Connected").waitFor();
    });
  },
  async "an authenticator app is added by a code that a camera reads, and by nobody else"() {
    const secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";
    const cognito = {
      AssociateSoftwareToken: () => ({ body: { SecretCode: secret } }),
      VerifySoftwareToken: () => ({ body: { Status: "SUCCESS" } }),
    };
    for (const dark of [false, true]) {
      await withPage({ pictures, dark, phone: dark }, async (page, shot) => {
        const requests = [];
        page.on("request", (it) => requests.push(`${it.url()} ${it.postData()}`));
        await serve(page, { folder, cognito, socket: server(answers).socket });
        await signIn(page);
        const toggle = page.getByRole("button", { name: "Two-step sign-in" });
        await toggle.click();
        await eventually(() => page.locator(":focus").textContent(), "Two-step sign-in");
        const link = await page.getByRole("link", { name: "Open an app on this device" }).getAttribute("href");
        expect([new URL(link).protocol, new URL(link).searchParams.get("secret")], ["otpauth:", secret]);
        expect(await readQrCode(page, page.getByRole("img", { name: "QR code" })), link);
        await shot(dark ? "page-two-steps-dark-phone" : "page-two-steps");
        await page.getByLabel("Code of the app").fill("123456");
        await page.keyboard.press("Enter");
        await page.getByText("From now on").waitFor();
        await eventually(() => page.locator(":focus").textContent(), "Two-step sign-in");
        await page.getByRole("button", { name: "Close" }).click();
        await eventually(() => toggle.evaluate((it) => it === document.activeElement), true);
        expect(requests.filter((it) => it.includes(secret)), []);
      });
    }
  },
  async "what cannot be loaded is said, and can be asked for again"() {
    let isConfigured = false;
    let listed = { status: 403, body: {} };
    await withPage({ pictures, expected: [/503/, /403/] }, async (page, shot) => {
      const script = server((send, { action, requestId }) => action === "run" && send({ type: "rows", requestId, seq: 0, last: true, columns: COLUMNS, rows: [], total: 0 }));
      await serve(page, { folder, isConfigured: () => isConfigured, rest: { "GET /queries": () => listed }, socket: script.socket });
      await page.goto(`${PAGE}/`);
      await page.getByText("This page cannot be loaded now.").waitFor();
      await shot("page-not-loaded");
      isConfigured = true;
      await page.getByRole("button", { name: "Load again" }).click();
      await page.getByRole("heading", { name: "Sign in" }).waitFor();
      await signIn(page);
      await page.getByText("You may not do this.").waitFor();
      await shot("page-no-queries");
      listed = { body: { queries: [] } };
      await page.getByRole("button", { name: "Try again" }).click();
      await page.getByText("There are no queries yet.").waitFor();
      await eventually(() => page.evaluate(() => document.activeElement.className), "workspace");
      listed = { body: { queries } };
      await signIn(page);
      await page.getByRole("button", { name: "Run" }).click();
      await page.getByText("The query found nothing for these values.").waitFor();
      await shot("page-no-rows");
    });
  },
  async "what runs, what is cancelled and a connection that is gone are shown"() {
    let isAway = false;
    const script = server((send, { action, requestId }) => {
      if (action === "run") send({ type: "accepted", requestId });
      if (action === "cancel") send({ type: "cancelled", requestId });
    });
    await withPage({ pictures, dark: true, expected: [/503/] }, async (page, shot) => {
      await serve(page, { folder, rest: { "POST /ticket": () => (isAway ? { status: 503, body: {} } : undefined) }, socket: script.socket });
      await signIn(page);
      await page.getByRole("button", { name: "Run" }).click();
      await page.getByRole("status").filter({ hasText: "Running …" }).waitFor();
      await shot("page-running-dark");
      await eventually(() => page.title(), "Running … – Queries");
      await page.getByRole("button", { name: "Cancel" }).focus();
      await page.keyboard.press("Enter");
      await page.getByText("This run was cancelled before it ended.").waitFor();
      await eventually(() => page.title(), "Cancelled – Queries");
      await eventually(() => page.evaluate(() => document.activeElement.id), "result");
      isAway = true;
      script.connections.at(-1).close({ code: 1001 });
      await page.getByText("No connection, trying again").waitFor();
      await shot("page-no-connection-dark");
      isAway = false;
      await page.getByText("Connected").waitFor();
    });
  },
  async "long words and wide tables stay in their places"() {
    const long = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft".repeat(3);
    const query = { name: "wide", title: `Everything about ${long}`, description: `All of it. ${long}`, parameters: [{ name: "like", label: `Like ${long}`, type: "text", default: long, maxLength: 400 }] };
    const columns = Array.from({ length: 40 }, (_, at) => ({ name: `column_${at}`, label: at ? `column_${at}` : long, type: at ? "decimal" : "text", nullable: true }));
    const rows = Array.from({ length: 5 }, (_, row) => columns.map((_, at) => (at ? `${row * at}.125` : `${row} ${long}`)));
    const script = server((send, { action, requestId }) => action === "run" && send({ type: "rows", requestId, seq: 0, last: true, columns, rows, total: 5 }));
    for (const phone of [false, true]) {
      await withPage({ pictures, phone }, async (page, shot) => {
        await serve(page, { folder, rest: { "GET /queries": () => ({ body: { queries: [query, ...queries] } }) }, socket: script.socket });
        await signIn(page);
        await page.getByRole("button", { name: "Run" }).click();
        await page.getByRole("status").filter({ hasText: "5 rows" }).waitFor();
        await eventually(() => fits(page), true);
        await shot(phone ? "page-wide-phone" : "page-wide");
      });
    }
  },
  async "fields say what is wrong with them"() {
    await withPage({ pictures }, async (page, shot) => {
      await serve(page, { folder, socket: server(answers).socket });
      await signIn(page);
      await page.getByText("Tips by payment").click();
      await page.getByLabel("Shortest distance").fill("101");
      await page.getByRole("button", { name: "Run" }).click();
      await page.getByText("Month is needed.").waitFor();
      await page.getByText("The highest is 100.").waitFor();
      await eventually(() => page.locator(":focus").getAttribute("id"), "parameter-month");
      await shot("page-field-problems");
    });
  },
  async "a socket that is cut comes back, and the run goes on where it was"() {
    const script = server((send, message, count) => {
      const { action, requestId } = message;
      if (action === "run") {
        send({ type: "accepted", requestId });
        send({ type: "rows", requestId, seq: 0, last: false, columns: COLUMNS, rows: ROWS.slice(0, 20), total: 31 });
        script.connections[0].close({ code: 1001 });
      }
      if (action === "resume") {
        // Again what was there already, then the rest.
        send({ type: "rows", requestId, seq: 0, last: false, columns: COLUMNS, rows: ROWS.slice(0, 20), total: 31 });
        send({ type: "rows", requestId, seq: 1, last: true, rows: ROWS.slice(20) });
      }
    });
    await withPage({ pictures }, async (page) => {
      await serve(page, { folder, socket: script.socket });
      await signIn(page);
      await page.getByRole("button", { name: "Run" }).click();
      await page.getByRole("status").filter({ hasText: "31 rows" }).waitFor();
      expect(script.all.filter((it) => it.action === "resume").map((it) => it.seq), [0]);
      await eventually(() => page.locator(".table tbody tr").count(), 31);
    });
  },
  async "a session that has ended asks to sign in again and keeps the results"() {
    let isOver = false;
    const script = server((send, message) => answers(send, message));
    const cognito = { InitiateAuth: ({ AuthFlow }) => (isOver && AuthFlow !== "USER_SRP_AUTH" ? refuse("NotAuthorizedException", "Refresh Token has expired") : undefined) };
    cognito.GetTokensFromRefreshToken = () => (isOver ? refuse("NotAuthorizedException", "Refresh Token has expired") : undefined);
    await withPage({ pictures, expected: [/400/] }, async (page, shot) => {
      await serve(page, { folder, cognito, socket: script.socket });
      await signIn(page);
      await page.getByRole("button", { name: "Run" }).click();
      await page.getByRole("status").filter({ hasText: "31 rows" }).waitFor();
      isOver = true;
      script.connections.at(-1).send(JSON.stringify({ type: "expired" }));
      await page.getByText("your results are kept").waitFor();
      await shot("page-session-ended");
      await page.getByLabel("E-mail address").fill("ada@example.com");
      await page.getByLabel("Password", { exact: true }).fill("Correct-horse-1");
      await page.keyboard.press("Enter");
      await page.getByText("Connected").waitFor();
      await page.getByRole("status").filter({ hasText: "31 rows" }).waitFor();
      await eventually(() => page.locator(".table tbody tr").count(), 31);
    });
  },
  async "a large result comes by pages, and a reason is shown with its reference"() {
    const many = Array.from({ length: 10_000 }, (_, at) => [day((at % 31) + 1), at, String(2n ** 63n - BigInt(at)), "x"]);
    const rest = {};
    const script = server((send, { action, requestId, query }) => {
      if (action !== "run") return;
      send({ type: "accepted", requestId });
      if (query === "taxi-tips") return send({ type: "error", requestId, code: "failed", reason: "the query failed in the warehouse", reference: "0123-4567" });
      rest[`GET /requests/${requestId}/rows`] = (url) => {
        const at = Number(url.searchParams.get("page") ?? 0);
        return { body: { columns: COLUMNS, rows: many.slice(at, at + 2500), next: at + 2500 < many.length ? String(at + 2500) : null } };
      };
      let pages = 0;
      rest[`GET /requests/${requestId}/csv`] = (url) => {
        const at = Number(url.searchParams.get("page") ?? 0);
        pages += 1;
        return pages === 1 ? { status: 503, body: {} } : { body: `part ${at}\n`, headers: at < 2 ? { "x-next-page": String(at + 1) } : {} };
      };
      send({ type: "ready", requestId, rows: many.length, page: `/requests/${requestId}/rows` });
    });
    await withPage({ pictures, expected: [/503/] }, async (page, shot) => {
      await serve(page, { folder, rest, socket: script.socket });
      await signIn(page);
      await page.getByRole("button", { name: "Run" }).click();
      await page.getByRole("status").filter({ hasText: "10,000 rows" }).waitFor();
      await eventually(() => page.locator(".table tbody tr").count(), 100);
      await page.getByRole("button", { name: "Income", exact: true }).click();
      await eventually(() => page.locator(".table tbody td").nth(2).textContent(), (2n ** 63n - 9999n).toLocaleString("en-US"));
      const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Download CSV" }).click()]);
      expect(download.suggestedFilename(), "taxi-month-2015-01.csv");
      const stream = await download.createReadStream();
      expect(Buffer.concat(await stream.toArray()).toString(), "part 0\npart 1\npart 2\n");
      await shot("page-large");
      await page.getByText("Tips by payment").click();
      await page.getByLabel("Month", { exact: true }).fill("2015-03");
      await page.getByRole("button", { name: "Run" }).click();
      await page.getByText("The query failed in the warehouse.").waitFor();
      await page.getByText("0123-4567").waitFor();
      await shot("page-failed");
    });
  },
};

const wanted = process.argv[4];
for (const [name, trial] of Object.entries(trials)) {
  if (wanted && !name.includes(wanted)) continue;
  try {
    await trial();
    console.error(`ok   ${name}`);
  } catch (error) {
    throw new Error(`${name}: ${error.message}`, { cause: error });
  }
}
console.log(JSON.stringify({ trials: Object.keys(trials).length, queries: queries.length }));

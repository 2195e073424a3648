// Queries, their results, and what is shown without a result.

import { eventually, expect, fits, withPage } from "../browser.mjs";
import { COLUMNS, PAGE, ROWS, answers, day, queries, serve, server, signIn } from "./scripted_service.mjs";

export const running = {
  async "a run shows its table and chart, sorted by a click"({ folder, pictures }) {
    await withPage({ pictures }, async (page, shot) => {
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
  async "a phone in dark mode needs no scrolling sideways"({ folder, pictures }) {
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
  async "a failure to load is shown, and can be retried"({ folder, pictures }) {
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
      await page.getByText("You are not allowed to do this.").waitFor();
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
  async "running and cancelled queries and a lost connection are shown"({ folder, pictures }) {
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
      await page.getByText("Connected", { exact: true }).waitFor();
    });
  },
  async "long words and wide tables stay in their places"({ folder, pictures }) {
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
  async "fields say what is wrong with them"({ folder, pictures }) {
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
  async "a socket that is cut reconnects, and the run continues where it was"({ folder, pictures }) {
    const script = server((send, message, count) => {
      const { action, requestId } = message;
      if (action === "run") {
        send({ type: "accepted", requestId });
        send({ type: "rows", requestId, seq: 0, last: false, columns: COLUMNS, rows: ROWS.slice(0, 20), total: 31 });
        script.connections[0].close({ code: 1001 });
      }
      if (action === "resume") {
        // First what was already there, then the rest.
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
  async "a large result comes in pages, and a reason is shown with its reference"({ folder, pictures }) {
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
  async "a page that is loaded again shows the earlier runs and resumes what runs"({ folder, pictures }) {
    const id = (number) => `00000000-0000-4000-8000-00000000000${number}`;
    const earlier = (number, more) => ({ requestId: id(number), query: "taxi-month", parameters: { month: `2015-0${number}` }, created: Date.now() - number * 60_000, ...more });
    const requests = [earlier(1, { state: "running" }), earlier(2, { state: "finished", rows: 31, capped: false })];
    const script = server((send, { action, requestId }) => {
      if (action === "resume") send({ type: "rows", requestId, seq: 0, last: true, columns: COLUMNS, rows: ROWS.slice(0, 5), total: 5 });
    });
    const rest = { "GET /requests": () => ({ body: { requests } }), [`GET /requests/${id(2)}/rows`]: () => ({ body: { columns: COLUMNS, rows: ROWS, next: null } }) };
    await withPage({ pictures }, async (page, shot) => {
      await serve(page, { folder, rest, socket: script.socket });
      await signIn(page);
      await page.getByRole("status").filter({ hasText: "5 rows" }).waitFor();
      await page.getByRole("button", { name: /2015-02/ }).click();
      await page.getByRole("status").filter({ hasText: "31 rows" }).waitFor();
      await eventually(() => page.locator(".table tbody tr").count(), 31);
      await shot("page-earlier-runs");
    });
  },
};

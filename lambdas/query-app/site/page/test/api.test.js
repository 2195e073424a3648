import assert from "node:assert/strict";
import { test } from "node:test";

import { ApiError, connectApi } from "../source/api.js";

function world(answers) {
  const asked = [];
  const tokens = [];
  const api = connectApi({
    base: "https://api.test/live",
    token: async (isForced) => (tokens.push(isForced), isForced ? "fresh" : "old"),
    fetch: async (url, { method, headers }) => {
      asked.push(`${method} ${url.slice("https://api.test/live".length)} ${headers.authorization}`);
      const answer = answers.shift();
      if (!answer) throw new TypeError("no network");
      return new Response(answer.body === undefined ? null : JSON.stringify(answer.body), { status: answer.status ?? 200, headers: answer.headers });
    },
    pause: async () => {},
  });
  return { api, asked, tokens };
}

test("a refused token is renewed once, and then the person is signed out", async () => {
  const { api, asked } = world([{ status: 401 }, { status: 201, body: { ticket: "x" } }]);
  assert.equal(await api.ticket(), "x");
  assert.deepEqual(asked, ["POST /ticket old", "POST /ticket fresh"]);
  const other = world([{ status: 401 }, { status: 401 }]);
  await assert.rejects(other.api.ticket(), (error) => error instanceof ApiError && error.status === 401);
});

test("temporary errors are retried, lasting ones are reported", async () => {
  const { api, asked } = world([null, { status: 503 }, { status: 429 }, { body: { queries: [] } }]);
  assert.deepEqual(await api.queries(), []);
  assert.equal(asked.length, 4);
  const gone = world([{ status: 404, body: { reason: "there is no such request" } }]);
  await assert.rejects(gone.api.queries(), { message: "there is no such request", status: 404 });
  const away = world([]);
  await assert.rejects(away.api.queries(), { status: 0 });
});

test("a result that is announced before it can be fetched is fetched a moment later", async () => {
  const { api, asked } = world([{ status: 409, body: { code: "no-result" } }, { body: { rows: [1], next: null } }]);
  const taken = [];
  await api.rows("r", (page) => taken.push(page.rows));
  assert.deepEqual([taken, asked.length], [[[1]], 2]);
});

test("pages are asked for one after the other, by what the one before says", async () => {
  const { api, asked } = world([{ body: { rows: [1], next: "a b" } }, { body: { rows: [2], next: null } }]);
  const taken = [];
  await api.rows("r/1", (page, isLast) => taken.push([page.rows, isLast]));
  assert.deepEqual(taken, [[[1], false], [[2], true]]);
  assert.deepEqual(asked, ["GET /requests/r%2F1/rows old", "GET /requests/r%2F1/rows?page=a%20b old"]);
});

test("pages that lead back to one that was read are not followed", async () => {
  const page = (next) => ({ body: { columns: [], rows: [], next }, headers: { "x-next-page": next } });
  for (const read of [(api) => api.rows("r", () => {}), (api) => api.csv("r", () => {})]) {
    const { api, asked } = world([page("a"), page("b"), page("a"), page("b"), page("a")]);
    await assert.rejects(read(api), /no end/);
    assert.equal(asked.length, 3);
  }
});

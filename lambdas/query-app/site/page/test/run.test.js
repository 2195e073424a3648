import assert from "node:assert/strict";
import { test } from "node:test";

import { failed, fetched, hasGap, isOpen, newRun, received } from "../source/run.js";

const COLUMNS = [{ name: "n", label: "n", type: "integer", nullable: false }];
const started = () => newRun({ requestId: "r", query: { name: "q" }, parameters: {}, now: 0 });
const piece = (seq, last = false) => ({ type: "rows", seq, last, rows: [[seq * 2], [seq * 2 + 1]], ...(seq === 0 && { columns: COLUMNS, total: 8 }) });
const play = (...messages) => messages.reduce((run, message) => received(run, message, 5), started());
const numbers = (run) => run.rows.map(([it]) => it);

test("pieces in any order, twice or after a reconnect make the same result", () => {
  const all = [piece(0), piece(1), piece(2), piece(3, true)];
  const orders = permutations(all);
  assert.equal(orders.length, 24);
  for (const order of orders) {
    const run = play({ type: "accepted" }, ...order.flatMap((it) => [it, it]));
    assert.deepEqual(numbers(run), [0, 1, 2, 3, 4, 5, 6, 7]);
    assert.deepEqual([run.state, run.columns, run.total, run.endedAt], ["done", COLUMNS, 8, 5]);
  }
});

test("a piece that is missing is noticed, and the run is not done without it", () => {
  const run = play(piece(0), piece(2, true));
  assert.deepEqual([run.state, run.seq, hasGap(run)], ["receiving", 0, true]);
  assert.equal(hasGap(received(run, piece(1), 6)), false);
  assert.equal(hasGap(play(piece(0), piece(0))), false);
});

test("an end stays the end, whatever comes later", () => {
  for (const end of [piece(0, true), { type: "cancelled" }, { type: "error", code: "failed", reason: "no" }]) {
    const run = play(end);
    for (const late of [{ type: "accepted" }, piece(1, true), { type: "cancelled" }, { type: "ready", rows: 1 }]) assert.equal(received(run, late, 9), run);
  }
});

test("a large result comes by pages, and what the socket had sent before is not counted twice", () => {
  let run = play({ type: "accepted" }, piece(0), { type: "ready", rows: 4, page: "/requests/r/rows" });
  assert.deepEqual([run.state, isOpen(run)], ["fetching", false]);
  run = fetched(run, { columns: COLUMNS, rows: [[0], [1]] }, false, 7);
  run = fetched(run, { columns: COLUMNS, rows: [[2], [3]] }, true, 8);
  assert.deepEqual([numbers(run), run.state, run.endedAt], [[0, 1, 2, 3], "done", 8]);
});

test("a failure keeps its reason and reference", () => {
  const run = failed(started(), { code: "timed-out", reason: "it took too long", reference: "x-1" }, 3);
  assert.deepEqual([run.state, run.error], ["failed", { code: "timed-out", reason: "it took too long", reference: "x-1" }]);
});

test("a cancellation that came too late leaves the result", () => {
  const cancelling = { ...play({ type: "accepted" }, piece(0)), isCancelling: true };
  const run = received(received(cancelling, { type: "error", code: "ended", reason: "over" }, 6), piece(1, true), 7);
  assert.deepEqual([run.state, run.isCancelling, run.rows.length], ["done", false, 4]);
});

test("no rows at all are a result", () => {
  const run = play({ type: "rows", seq: 0, last: true, columns: COLUMNS, rows: [], total: 0 });
  assert.deepEqual([run.state, run.rows], ["done", []]);
});

function permutations(items) {
  if (items.length < 2) return [items];
  return items.flatMap((item, at) => permutations(items.toSpliced ? items.toSpliced(at, 1) : [...items.slice(0, at), ...items.slice(at + 1)]).map((rest) => [item, ...rest]));
}

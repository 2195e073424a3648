import assert from "node:assert/strict";
import { test } from "node:test";

import { ApiError } from "../source/api.js";
import { Session } from "../source/session.js";

/** A session whose sockets and time are in the hands of the test. */
function world(api = {}) {
  let timers = [];
  const clock = {
    time: 0,
    setTimeout: (work, after) => {
      const timer = { at: clock.time + after, work };
      timers.push(timer);
      return timer;
    },
    clearTimeout: (timer) => void (timers = timers.filter((it) => it !== timer)),
    now: () => clock.time, random: () => 1,
  };
  const sockets = [];
  const session = new Session({
    account: { renew: async () => true, until: () => 1e12 },
    api: { ticket: async () => "t", queries: async () => [], requests: async () => [], ...api },
    socketUrl: "wss://socket.test/live",
    openSocket: (url) => (sockets.push(new Socket(url)), sockets.at(-1)),
    clock,
  });
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  const open = async () => {
    session.start();
    await settle();
    sockets.at(-1).opens();
  };
  const pass = async (milliseconds) => {
    clock.time += milliseconds;
    for (const due of timers.filter((it) => it.at <= clock.time)) {
      if (!timers.includes(due)) continue;
      timers.splice(timers.indexOf(due), 1);
      due.work();
    }
    await settle();
  };
  return { session, sockets, open, pass, settle };
}

class Socket extends EventTarget {
  readyState = 0;
  sent = [];
  constructor(url) {
    super();
    this.url = url;
  }
  send = (text) => this.sent.push(JSON.parse(text));
  opens() {
    this.readyState = 1;
    this.dispatchEvent(new Event("open"));
  }
  says = (message) => this.dispatchEvent(new MessageEvent("message", { data: JSON.stringify(message) }));
  close() {
    this.readyState = 3;
    this.dispatchEvent(new Event("close"));
  }
}

const query = { name: "q", parameters: [] };

test("a run is sent with its ticket's connection, and again only while nobody has taken it up", async () => {
  const it = world();
  await it.open();
  assert.equal(it.sockets[0].url, "wss://socket.test/live?ticket=t");
  const requestId = it.session.run(query, { month: "2015-01" });
  const run = { action: "run", requestId, query: "q", parameters: { month: "2015-01" } };
  await it.pass(4_000);
  assert.deepEqual(it.sockets[0].sent, [run, { action: "ping" }], "the connection is checked first");
  await it.pass(8_000);
  assert.deepEqual(it.sockets[0].sent, [run, { action: "ping" }, run]);
  it.sockets[0].says({ type: "accepted", requestId });
  await it.pass(60_000);
  assert.equal(it.sockets[0].sent.length, 3);
});

test("a run that may not be resumed now is resumed in the next minute and is not over", async () => {
  const it = world();
  await it.open();
  const requestId = it.session.run(query, {});
  it.sockets[0].says({ type: "accepted", requestId });
  it.sockets[0].says({ type: "error", requestId, code: "too-many", reason: "you already resumed 60 times" });
  assert.equal(it.session.runs[0].state, "running");
  const before = it.sockets[0].sent.length;
  await it.pass(60_000);
  const resumed = it.sockets[0].sent.slice(before).filter((message) => message.action === "resume");
  assert.deepEqual(resumed, [{ action: "resume", requestId, seq: -1 }]);
});

test("after a cut, runs are sent, resumed or cancelled again, each as far as it was", async () => {
  const it = world();
  const early = it.session.run(query, {});
  await it.open();
  const running = it.session.run(query, {});
  const cancelling = it.session.run(query, {});
  it.sockets[0].says({ type: "accepted", requestId: running });
  it.sockets[0].says({ type: "rows", requestId: running, seq: 0, last: false, columns: [], rows: [[1]], total: 2 });
  it.sockets[0].says({ type: "accepted", requestId: cancelling });
  it.session.cancel(cancelling);
  it.sockets[0].close();
  await it.pass(1_000);
  it.sockets[1].opens();
  assert.deepEqual(it.sockets[1].sent, [
    { action: "run", requestId: early, query: "q", parameters: {} },
    { action: "resume", requestId: running, seq: 0 },
    { action: "resume", requestId: cancelling, seq: -1 },
    { action: "cancel", requestId: cancelling },
  ]);
});

test("a message about another user's run changes nothing", async () => {
  const it = world();
  await it.open();
  const before = it.session.runs;
  it.sockets[0].says({ type: "rows", requestId: "another", seq: 0, last: true, columns: [], rows: [[1]], total: 1 });
  assert.equal(it.session.runs, before);
});

test("a ticket that is refused ends the session, one that does not come does not", async () => {
  for (const [status, state] of [[401, "signed-out"], [503, "waiting"]]) {
    const it = world({ ticket: async () => Promise.reject(new ApiError(status, "no")) });
    it.session.start();
    await it.settle();
    assert.equal(it.session.connectionState, state);
  }
});

test("the runs of an earlier page are shown, and what runs is resumed", async () => {
  const requests = [
    { requestId: "r1", query: "q", parameters: { month: "2015-02" }, state: "running", created: 3 },
    { requestId: "r2", query: "q", parameters: {}, state: "finished", created: 2, rows: 2, capped: false },
    { requestId: "r3", query: "gone", parameters: {}, state: "failed", created: 1, code: "failed", reason: "no", reference: "x" },
  ];
  const fetchedOf = [];
  const rows = async (requestId, take) => {
    fetchedOf.push(requestId);
    take({ columns: [], rows: [[1], [2]] }, true);
  };
  const it = world({ queries: async () => [query], requests: async () => requests, rows });
  await it.open();
  await it.settle();
  assert.deepEqual(it.session.runs.map((run) => run.state), ["running", "kept", "failed"]);
  const resumed = it.sockets[0].sent.filter((message) => message.action === "resume");
  assert.deepEqual(resumed.at(-1), { action: "resume", requestId: "r1", seq: -1 });
  it.session.open("r1");
  it.session.open("r2");
  await it.settle();
  assert.deepEqual([fetchedOf, it.session.runs[1].state, it.session.runs[1].rows.length, it.session.runs[1].endedAt], [["r2"], "done", 2, null]);
});

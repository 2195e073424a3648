import assert from "node:assert/strict";
import { test } from "node:test";

import { Connection } from "../source/connection.js";

const MINUTE = 60_000;

/** A connection whose time, tickets and sockets are in the hands of the test. */
function world({ ticket = async () => "t", renewToken = async () => true, until = 24 * 60 * MINUTE } = {}) {
  const timers = new Map();
  const clock = {
    time: 0, ids: 0,
    setTimeout: (work, milliseconds) => (timers.set(++clock.ids, { at: clock.time + milliseconds, work }), clock.ids),
    clearTimeout: (id) => timers.delete(id),
    now: () => clock.time,
    random: () => 1,
  };
  const sockets = [];
  const states = [];
  const messages = [];
  let opened = 0;
  const connection = new Connection(
    {
      getTicket: () => ticket(), renewToken: () => renewToken(), until: () => until,
      open: () => (sockets.push(new Socket()), sockets.at(-1)),
      onOpen: () => opened++, onMessage: (message) => messages.push(message), onState: (state) => states.push(state),
    },
    clock,
  );
  /** Lets time pass, timer by timer, and promises settle in between. */
  async function pass(milliseconds) {
    const end = clock.time + milliseconds;
    await settle();
    for (;;) {
      const due = [...timers].filter(([, it]) => it.at <= end).sort((a, b) => a[1].at - b[1].at)[0];
      if (!due) break;
      timers.delete(due[0]);
      clock.time = due[1].at;
      due[1].work();
      await settle();
    }
    clock.time = end;
  }
  const open = async () => {
    connection.start();
    await settle();
    sockets.at(-1).opens();
  };
  return { connection, sockets, states, messages, pass, open, opened: () => opened };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

class Socket extends EventTarget {
  readyState = 0;
  sent = [];
  send = (text) => this.sent.push(JSON.parse(text));
  opens() {
    this.readyState = 1;
    this.dispatchEvent(new Event("open"));
  }
  says(message) {
    this.dispatchEvent(new MessageEvent("message", { data: JSON.stringify(message) }));
  }
  close(code) {
    if (this.readyState === 3) return;
    this.code = code;
    this.readyState = 3;
    this.dispatchEvent(new Event("close"));
  }
}

test("a socket that is cut is opened again, and the pauses grow up to half a minute", async () => {
  const it = world();
  await it.open();
  assert.equal(it.opened(), 1);
  const pauses = [];
  for (let round = 0; round < 9; round++) {
    const before = it.sockets.length;
    it.sockets.at(-1).close();
    let waited = 0;
    while (it.sockets.length === before) {
      await it.pass(500);
      waited += 500;
    }
    pauses.push(waited / 1000);
  }
  assert.deepEqual(pauses, [0.5, 1, 2, 4, 8, 16, 30, 30, 30]);
  it.sockets.at(-1).opens();
  assert.deepEqual([it.connection.state, it.opened()], ["open", 2]);
});

test("a connection is pinged before it is idle for ten minutes, and replaced when no answer comes", async () => {
  const it = world();
  await it.open();
  await it.pass(5 * MINUTE);
  assert.deepEqual(it.sockets[0].sent, [{ action: "ping" }]);
  it.sockets[0].says({ type: "pong" });
  await it.pass(MINUTE);
  assert.equal(it.connection.state, "open");
  await it.pass(4.5 * MINUTE);
  assert.equal(it.sockets[0].readyState, 3);
  assert.equal(it.sockets.length, 2);
});

test("a connection is replaced before two hours are over, with no moment without one", async () => {
  const it = world();
  await it.open();
  for (let minutes = 0; minutes < 110; minutes++) {
    await it.pass(MINUTE);
    it.sockets[0].says({ type: "pong" });
  }
  assert.equal(it.sockets.length, 2);
  assert.deepEqual([it.connection.state, it.sockets[0].readyState], ["open", 1]);
  it.sockets[1].opens();
  it.connection.send({ action: "resume" });
  assert.deepEqual(it.sockets[1].sent, [{ action: "resume" }]);
  it.sockets[0].says({ type: "rows", seq: 3 });
  assert.deepEqual(it.messages, [{ type: "rows", seq: 3 }]);
  await it.pass(11_000);
  assert.deepEqual([it.sockets[0].readyState, it.sockets[1].readyState, it.connection.state], [3, 1, "open"]);
  assert.deepEqual(it.states, ["connecting", "open"]);
});

test("a replacement that fails leaves the connection that works", async () => {
  let isDown = false;
  const it = world({ ticket: async () => (isDown ? Promise.reject(new Error("down")) : "t"), until: 30 * MINUTE });
  await it.open();
  isDown = true;
  for (let minutes = 0; minutes < 35; minutes++) {
    await it.pass(MINUTE);
    it.sockets[0].says({ type: "pong" });
  }
  assert.deepEqual([it.connection.state, it.sockets.length, it.sockets[0].readyState], ["open", 1, 1]);
});

test("`expired` renews the token; without a fresh one the person is signed out", async () => {
  for (const [isFresh, state] of [[true, "connecting"], [false, "signed-out"]]) {
    const it = world({ renewToken: async () => isFresh });
    await it.open();
    it.sockets[0].says({ type: "expired" });
    await settle();
    assert.equal(it.connection.state, state);
    assert.equal(it.sockets[0].readyState, 3);
    assert.equal(it.sockets.length, isFresh ? 2 : 1);
  }
});

test("no ticket for a person who is signed out, and no attempts after that", async () => {
  const it = world({ ticket: async () => null });
  it.connection.start();
  await it.pass(10 * MINUTE);
  assert.deepEqual([it.states, it.sockets.length], [["connecting", "signed-out"], 0]);
});

test("what is stopped stays stopped, even while a ticket is on its way", async () => {
  let give;
  const it = world({ ticket: () => new Promise((resolve) => (give = resolve)) });
  it.connection.start();
  it.connection.stop();
  give("t");
  await it.pass(10 * MINUTE);
  assert.deepEqual([it.connection.state, it.sockets.length], ["stopped", 0]);
  assert.equal(it.connection.send({ action: "ping" }), false);
});

test("only a page that goes says so: a normal closure ends what still runs", async () => {
  const it = world({ renewToken: async () => false });
  await it.open();
  it.connection.stop();
  assert.equal(it.sockets[0].code, 1000);
  await it.open();
  it.sockets[1].says({ type: "expired" });
  await settle();
  assert.deepEqual([it.sockets[1].code, it.connection.state], [4000, "signed-out"]);
  const other = world({ until: 30 * MINUTE, ticket: async () => (other.sockets.length ? null : "t") });
  await other.open();
  for (let minutes = 0; minutes < 30 && other.connection.state === "open"; minutes++) {
    await other.pass(MINUTE);
    other.sockets[0].says({ type: "pong" });
  }
  assert.deepEqual([other.sockets[0].code, other.connection.state], [4000, "signed-out"]);
});

test("waking up tries at once instead of waiting for the end of a pause", async () => {
  const it = world();
  await it.open();
  for (let round = 0; round < 8; round++) {
    it.sockets.at(-1).close();
    await it.pass(30_000);
  }
  it.sockets.at(-1).close();
  const before = it.sockets.length;
  it.connection.wake();
  await settle();
  assert.equal(it.sockets.length, before + 1);
});

test("a network that is gone is noticed at once", async () => {
  const it = world();
  await it.open();
  it.connection.offline();
  assert.equal(it.connection.state, "waiting");
  assert.equal(it.sockets[0].readyState, 3);
  await it.pass(1_000);
  assert.equal(it.sockets.length, 2);
  it.connection.offline();
  assert.equal(it.connection.state, "connecting", "an attempt fails by itself");
});

test("a check finds a dead connection, and leaves one alone that answers", async () => {
  const it = world();
  await it.open();
  it.connection.check();
  assert.deepEqual(it.sockets[0].sent, [{ action: "ping" }]);
  it.sockets[0].says({ type: "pong" });
  await it.pass(MINUTE / 2);
  assert.equal(it.connection.state, "open");
  it.connection.check();
  await it.pass(10_000);
  assert.deepEqual([it.connection.state, it.sockets[0].readyState], ["waiting", 3]);
});

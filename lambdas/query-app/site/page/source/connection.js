// Keeps the WebSocket open: a one-use ticket for each attempt, pings, reconnects with growing pauses, renewal before it ends.

/** API Gateway closes a connection that was silent for 10 minutes: https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html */
const PING_EVERY = 5 * 60_000;
const LONGEST_PONG = 10_000;
/** … and every connection after 2 hours. */
const RENEW_AFTER = 110 * 60_000;
/** How long a replaced connection may still deliver messages that are in transit. */
const OVERLAP = 10_000;
/** The page is closed, so its running queries may end. Any other close leaves them to the next connection. */
const GOING = 1000;
/** Another connection has taken over, or will. */
const REPLACED = 4000;
const LONGEST_OPENING = 20_000;
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 30_000;

/**
 * `getTicket()` resolves to a ticket, or to null if nobody is signed in any longer; it rejects if this attempt failed.
 * `open(ticket)` creates a WebSocket. `renewToken()` resolves to whether there is a fresh token. `until()` is when the token
 * expires, in milliseconds. `onOpen()`, `onMessage(message)` and `onState(state)` are callbacks; states: connecting, open, waiting,
 * signed-out, stopped. `clock` has setTimeout, clearTimeout, now and random, for tests.
 */
export class Connection {
  state = "stopped";
  #with;
  #clock;
  #socket = null;
  #failures = 0;
  #timers = new Map();
  #attempt = 0;

  constructor(collaborators, clock = browserClock) {
    this.#with = collaborators;
    this.#clock = clock;
  }

  start() {
    if (this.state === "connecting" || this.state === "open") return;
    this.#cancelAll();
    this.#connect();
  }

  /** Ends it; `start` starts again. */
  stop() {
    this.#end("stopped");
  }

  /** Tries at once, because the network is back or the page is visible again. */
  wake() {
    if (this.state === "waiting") this.start();
    else if (this.state === "open") this.#ping();
  }

  /** The network is gone: an open connection is given up, because nothing on it would fail for a long time. */
  offline() {
    if (this.state !== "open") return;
    this.#drop(this.#socket);
    this.#lost();
  }

  /** Checks whether the connection is still alive; if not, opens another one. */
  check() {
    if (this.state === "open") this.#ping();
  }

  /** Sends a message, and returns whether there was a connection for it. */
  send(message) {
    if (this.state !== "open" || this.#socket?.readyState !== 1) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  /** Opens a socket. With `replaces`, the open one keeps working until the new one does. */
  async #connect(replaces = null) {
    const attempt = ++this.#attempt;
    const isStale = () => attempt !== this.#attempt;
    if (!replaces) this.#become("connecting");
    let ticket;
    try {
      ticket = await this.#with.getTicket();
    } catch {
      if (!isStale()) this.#lost(replaces);
      return;
    }
    if (isStale()) return;
    if (ticket === null) return this.#end("signed-out");
    let socket;
    try {
      socket = this.#with.open(ticket);
    } catch {
      return this.#lost(replaces);
    }
    this.#after("opening", LONGEST_OPENING, () => socket.close(REPLACED));
    let isCurrent = false;
    socket.addEventListener("open", () => {
      if (isStale()) return socket.close(REPLACED);
      this.#cancel("opening");
      isCurrent = true;
      this.#socket = socket;
      this.#failures = 0;
      this.#become("open");
      this.#keep();
      this.#with.onOpen();
      if (replaces) this.#clock.setTimeout(() => replaces.close(REPLACED), OVERLAP);
    });
    socket.addEventListener("message", ({ data }) => this.#receive(socket, data));
    socket.addEventListener("close", () => {
      if (isCurrent ? this.#socket === socket : !isStale()) {
        this.#cancel("opening");
        this.#lost(isCurrent ? null : replaces);
      }
    });
  }

  #receive(socket, data) {
    let message;
    try {
      message = JSON.parse(data);
    } catch {
      return;
    }
    if (socket === this.#socket) this.#cancel("pong");
    if (message.type === "pong") return;
    if (message.type === "expired") {
      if (socket === this.#socket) this.#expired(socket);
      return;
    }
    this.#with.onMessage(message);
  }

  /** The token of the connection has expired. */
  async #expired(socket) {
    this.#drop(socket);
    this.#become("connecting");
    const attempt = this.#attempt;
    const isFresh = await this.#with.renewToken().catch(() => null);
    if (attempt !== this.#attempt) return;
    if (isFresh === false) return this.#end("signed-out");
    if (isFresh) this.#connect();
    else this.#lost();
  }

  /** What an open connection needs: pings, and a replacement before it ends. */
  #keep() {
    this.#after("ping", PING_EVERY, () => this.#ping());
    const untilExpiry = this.#with.until() - this.#clock.now() - 60_000;
    const renewal = Math.max(Math.min(RENEW_AFTER, untilExpiry), 60_000);
    this.#after("renewal", renewal, async () => {
      const old = this.#socket;
      // A token that cannot be renewed now is renewed when the server says `expired`.
      if (untilExpiry <= RENEW_AFTER) await this.#with.renewToken().catch(() => null);
      if (old && old === this.#socket) this.#connect(old);
    });
  }

  #ping() {
    if (!this.send({ action: "ping" })) return;
    this.#after("ping", PING_EVERY, () => this.#ping());
    const socket = this.#socket;
    if (!this.#timers.has("pong")) {
      this.#after("pong", LONGEST_PONG, () => {
        this.#drop(socket);
        this.#lost();
      });
    }
  }

  /** Tries again after a random pause, so that a thousand pages do not reconnect at the same moment. */
  #lost(replaces = null) {
    if (replaces && replaces === this.#socket && replaces.readyState === 1) {
      this.#after("renewal", LONGEST_PAUSE, () => replaces === this.#socket && this.#connect(replaces));
      return;
    }
    this.#socket = null;
    this.#cancelAll();
    const longest = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** this.#failures++);
    this.#become("waiting");
    this.#after("retry", longest / 2 + (this.#clock.random() * longest) / 2, () => this.#connect());
  }

  #drop(socket) {
    if (this.#socket === socket) this.#socket = null;
    this.#cancelAll();
    socket.close(REPLACED);
  }

  #end(state) {
    this.#attempt++;
    this.#cancelAll();
    const socket = this.#socket;
    this.#socket = null;
    socket?.close(state === "stopped" ? GOING : REPLACED);
    this.#failures = 0;
    this.#become(state);
  }

  #become(state) {
    if (this.state === state) return;
    this.state = state;
    this.#with.onState(state);
  }

  #after(name, milliseconds, work) {
    this.#cancel(name);
    const id = this.#clock.setTimeout(() => {
      this.#timers.delete(name);
      work();
    }, milliseconds);
    this.#timers.set(name, id);
  }

  #cancel(name) {
    if (this.#timers.has(name)) this.#clock.clearTimeout(this.#timers.get(name));
    this.#timers.delete(name);
  }

  #cancelAll() {
    for (const name of [...this.#timers.keys()]) this.#cancel(name);
  }
}

export const browserClock = {
  setTimeout: (work, milliseconds) => setTimeout(work, milliseconds),
  clearTimeout: (id) => clearTimeout(id),
  now: () => Date.now(),
  random: () => Math.random(),
};

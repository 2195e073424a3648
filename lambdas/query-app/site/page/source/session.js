// The session of a signed-in user: the connection, the runs of this session and their results.

import { ApiError } from "./api.js";
import { Connection, browserClock } from "./connection.js";
import { failed, fetched, hasGap, isOpen, newRun, opened, received, restored } from "./run.js";

/** How long messages may be missing before they are requested again. */
const LONGEST_GAP = 3_000;
/** When a run is resumed again after the service had too many resumes: they are counted by the minute. */
const NEXT_MINUTE = 60_000;
/** How long a run may go without a response before it is sent again: the service may have dropped it because it was too busy. */
const LONGEST_SILENCE = 12_000;
/** How long a run usually takes to be accepted at most. After this, the connection may be dead without anybody having noticed. */
const UNUSUAL_SILENCE = 4_000;

/**
 * `account` has `until()` and `renew()`, as the connection's; `api` is `connectApi`'s; `socketUrl` is where the socket is.
 * `runs` is newest first; each change makes new objects and calls the listeners.
 */
export class Session {
  queries = null;
  queriesProblem = null;
  runs = [];
  connectionState = "stopped";
  #api;
  #listeners = new Set();
  #fetching = new Map();
  #connection;
  #gaps = new Map();
  #clock;

  constructor({ account, api, socketUrl, openSocket = (url) => new WebSocket(url), clock = browserClock }) {
    this.#api = api;
    this.#clock = clock;
    this.#connection = new Connection(
      {
        getTicket: () => api.ticket().catch((error) => {
          if (error instanceof ApiError && error.status === 401) return null;
          throw error;
        }),
        open: (ticket) => openSocket(`${socketUrl}?ticket=${encodeURIComponent(ticket)}`),
        renewToken: () => account.renew(),
        until: () => account.until(),
        onOpen: () => this.#catchUp(),
        onMessage: (message) => this.#receive(message),
        onState: (state) => this.#change({ connectionState: state }),
      },
      clock,
    );
  }

  /** Calls `listener` after each change; returns a function that stops this. */
  subscribe(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  start() {
    this.#connection.start();
    if (!this.queries) this.loadQueries();
  }

  stop() {
    this.#connection.stop();
    for (const controller of this.#fetching.values()) controller.abort();
    for (const timer of this.#gaps.values()) this.#clock.clearTimeout(timer);
  }

  wake() {
    this.#connection.wake();
  }

  offline() {
    this.#connection.offline();
  }

  async loadQueries() {
    this.#change({ queriesProblem: null });
    try {
      this.#change({ queries: await this.#api.queries() });
    } catch (error) {
      this.#change({ queriesProblem: error.message });
      return;
    }
    await this.#restore();
  }

  /** Shows the runs of the last 24 hours, of this page before it was reloaded and of other tabs, and resumes those that run. */
  async #restore() {
    // Without the list, new runs work all the same.
    const requests = await this.#api.requests().catch(() => []);
    const query = (name) => this.queries.find((it) => it.name === name) ?? { name, parameters: [] };
    const earlier = requests.filter((it) => !this.#find(it.requestId)).map((it) => restored(it, query(it.query)));
    this.#change({ runs: [...this.runs, ...earlier] });
    for (const run of earlier.filter(isOpen)) this.#connection.send({ action: "resume", requestId: run.requestId, seq: run.seq });
  }

  /** Fetches the result of an earlier run that is shown. */
  open(requestId) {
    if (this.#find(requestId)?.state !== "kept") return;
    this.#update(requestId, opened);
    this.#fetch(requestId);
  }

  /** Runs a query and returns the run's ID. Without a connection it is sent as soon as there is one. */
  run(query, parameters) {
    const run = newRun({ requestId: crypto.randomUUID(), query, parameters, now: Date.now() });
    this.#change({ runs: [run, ...this.runs] });
    this.#send(run);
    return run.requestId;
  }

  /** Requests cancellation of a run; the server's response ends it. */
  cancel(requestId) {
    const run = this.#find(requestId);
    if (!run) return;
    if (run.state === "fetching") {
      this.#fetching.get(requestId)?.abort();
      return this.#update(requestId, (it) => received(it, { type: "cancelled" }, Date.now()));
    }
    this.#update(requestId, (it) => ({ ...it, isCancelling: true }));
    this.#connection.send({ action: "cancel", requestId });
  }

  /** The result as a file. */
  csv(requestId, onProgress) {
    return this.#api.csv(requestId, onProgress);
  }

  /** Catches up on what the server could not send while there was no connection. */
  #catchUp() {
    for (const run of this.runs.filter(isOpen).reverse()) {
      if (run.state === "sending") this.#send(run);
      else this.#connection.send({ action: "resume", requestId: run.requestId, seq: run.seq });
      if (run.isCancelling) this.#connection.send({ action: "cancel", requestId: run.requestId });
    }
  }

  /** A run that is sent twice is one run: the server recognizes it by its ID. */
  #send({ requestId, query, parameters }) {
    const isSent = this.#connection.send({ action: "run", requestId, query: query.name, parameters });
    // Without a connection, the next one sends it.
    if (!isSent) return;
    this.#clock.setTimeout(() => {
      if (this.#find(requestId)?.state === "sending") this.#connection.check();
    }, UNUSUAL_SILENCE);
    this.#clock.setTimeout(() => {
      const run = this.#find(requestId);
      if (run?.state === "sending") this.#send(run);
    }, LONGEST_SILENCE);
  }

  #receive(message) {
    const { requestId } = message;
    if (!requestId || !this.#find(requestId)) return;
    const before = this.#find(requestId).state;
    if (message.code === "too-many" && before !== "sending") return this.#resumeLater(requestId);
    this.#update(requestId, (run) => received(run, message, Date.now()));
    const run = this.#find(requestId);
    if (run.state === "fetching" && before !== "fetching") this.#fetch(requestId);
    if (hasGap(run)) this.#watchGap(requestId);
  }

  /** A run that may not be resumed now is not over. */
  #resumeLater(requestId) {
    this.#clock.setTimeout(() => {
      const run = this.#find(requestId);
      if (run && isOpen(run)) this.#connection.send({ action: "resume", requestId, seq: run.seq });
    }, NEXT_MINUTE);
  }

  #watchGap(requestId) {
    if (this.#gaps.has(requestId)) return;
    const timer = this.#clock.setTimeout(() => {
      this.#gaps.delete(requestId);
      const run = this.#find(requestId);
      if (run && hasGap(run)) this.#connection.send({ action: "resume", requestId, seq: run.seq });
    }, LONGEST_GAP);
    this.#gaps.set(requestId, timer);
  }

  async #fetch(requestId) {
    const controller = new AbortController();
    this.#fetching.set(requestId, controller);
    try {
      const take = (page, isLast) => this.#update(requestId, (run) => fetched(run, page, isLast, Date.now()));
      await this.#api.rows(requestId, take, controller.signal);
    } catch (error) {
      if (controller.signal.aborted) return;
      this.#update(requestId, (run) => failed(run, { code: "unavailable", reason: error.message }, Date.now()));
    } finally {
      this.#fetching.delete(requestId);
    }
  }

  #find(requestId) {
    return this.runs.find((run) => run.requestId === requestId);
  }

  #update(requestId, change) {
    this.#change({ runs: this.runs.map((run) => (run.requestId === requestId ? change(run) : run)) });
  }

  #change(fields) {
    Object.assign(this, fields);
    this.#listeners.forEach((listener) => listener());
  }
}

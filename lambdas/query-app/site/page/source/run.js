// One run of a query, from the click to the last row: plain data, and how each server message changes it.
//
// Rows arrive in numbered messages. After a reconnect, a message may arrive twice or out of order: each is counted
// once and in order.

/**
 * `state`: sending (not known to be accepted), running, receiving (rows from the socket), fetching (rows from pages),
 * done, failed, cancelled; and kept, of an earlier run whose result the service still has. `endedAt` is null for an earlier run.
 */
export function newRun({ requestId, query, parameters, now }) {
  return {
    requestId, query, parameters,
    startedAt: now, endedAt: null,
    state: "sending", isCancelling: false,
    columns: [], rows: [], total: null, isCapped: false,
    seq: -1, ahead: new Map(),
    error: null,
  };
}

/** A run that was started before this page was loaded, as the service describes it. */
export function restored(request, query) {
  const { requestId, parameters, created, rows, code, reason, reference } = request;
  const run = { ...newRun({ requestId, query, parameters, now: created }), isRestored: true };
  switch (request.state) {
    case "finished": return { ...run, state: "kept", total: rows, isCapped: request.capped === true };
    case "failed": return { ...run, state: "failed", error: { code, reason, reference } };
    case "cancelled": return { ...run, state: "cancelled" };
    default: return { ...run, state: "running" };
  }
}

/** A kept run whose result is requested. */
export const opened = (run) => (run.state === "kept" ? { ...run, state: "fetching" } : run);

const ENDS = new Set(["done", "failed", "cancelled", "kept"]);

/** Whether the run is over. */
export const isOver = (run) => ENDS.has(run.state);

/** Whether it still depends on messages from the socket. */
export const isOpen = (run) => !isOver(run) && run.state !== "fetching";

/** Whether messages are missing although later ones have arrived. */
export const hasGap = (run) => isOpen(run) && run.ahead.size > 0;

/** The run after a message about it. A run that is over does not change, because the server may repeat messages. */
export function received(run, message, now) {
  if (isOver(run)) return run;
  switch (message.type) {
    case "accepted":
      return run.state === "sending" ? { ...run, state: "running" } : run;
    case "rows":
      return run.state === "fetching" ? run : withRows(run, message, now);
    case "ready":
      return { ...run, state: "fetching", total: message.rows ?? null, isCapped: message.capped === true, rows: [], columns: [], ahead: new Map() };
    case "cancelled":
      return ended(run, "cancelled", now);
    case "error":
      // The response to a cancellation that was too late; the end itself is reported as well.
      return message.code === "ended" ? { ...run, isCancelling: false } : failed(run, message, now);
    default:
      return run;
  }
}

/** The run after a page of a large result; `isLast` says that no further page follows. */
export function fetched(run, page, isLast, now) {
  if (run.state !== "fetching") return run;
  const next = { ...run, columns: run.columns.length ? run.columns : page.columns, rows: run.rows.concat(page.rows) };
  return isLast ? ended(next, "done", now) : next;
}

/** The run that ended in an error `{code, reason, reference?}`. */
export function failed(run, { code, reason, reference }, now) {
  if (isOver(run)) return run;
  if (code === "cancelled") return ended(run, "cancelled", now);
  return { ...ended(run, "failed", now), error: { code, reason, reference } };
}

function ended(run, state, now) {
  const endedAt = run.isRestored ? null : now;
  return { ...run, state, endedAt, isCancelling: false, ahead: new Map() };
}

function withRows(run, message, now) {
  if (message.seq <= run.seq) return run;
  const ahead = new Map(run.ahead).set(message.seq, message);
  const next = { ...run, state: "receiving", ahead };
  const pieces = [];
  for (let piece; (piece = ahead.get(next.seq + 1)); ) {
    ahead.delete(piece.seq);
    next.seq = piece.seq;
    if (piece.columns) next.columns = piece.columns;
    if (Number.isInteger(piece.total)) next.total = piece.total;
    if (piece.capped) next.isCapped = true;
    pieces.push(piece.rows);
    if (piece.last) return ended({ ...next, rows: run.rows.concat(...pieces) }, "done", now);
  }
  return pieces.length ? { ...next, rows: run.rows.concat(...pieces) } : next;
}

// The REST API: tickets, the list of queries, and results too large for the socket.

/** An error from the API; `status` 0 means that there was no response. */
export class ApiError extends Error {
  constructor(status, reason) {
    super(reason);
    this.status = status;
  }
}

const TRIES = 4;
const FIRST_PAUSE = 400;
const LONGEST_ANSWER = 40_000;

/**
 * `token(isForced)` resolves to the ID token, or to null if nobody is signed in; `fetch` and `pause` default to the
 * browser's.
 */
export function connectApi({ base, token, fetch = globalThis.fetch.bind(globalThis), pause = sleep }) {
  async function call(path, { method = "GET", signal } = {}) {
    for (let tries = 1, isForced = false; ; tries++) {
      const idToken = await token(isForced);
      if (!idToken) throw new ApiError(401, "your session has ended; sign in again");
      let answer = null;
      try {
        const limit = AbortSignal.timeout(LONGEST_ANSWER);
        answer = await fetch(base + path, { method, headers: { authorization: idToken }, signal: signal ? either(signal, limit) : limit });
      } catch (error) {
        if (signal?.aborted) throw error;
      }
      if (answer?.ok) return answer;
      if (answer?.status === 401 && !isForced) {
        isForced = true;
        continue;
      }
      // 409: the socket may announce a result a moment before it can be fetched.
      const isPassing = !answer || answer.status === 409 || answer.status === 429 || answer.status >= 500;
      if (!isPassing || tries >= TRIES) throw await problem(answer);
      await pause(FIRST_PAUSE * 2 ** (tries - 1) * (0.5 + Math.random() / 2));
    }
  }

  /** Calls `take(page, isLast)` with every page, in order. */
  async function rows(requestId, take, signal) {
    const seen = new Set();
    for (let page = null; ; ) {
      const answer = await (await call(`/requests/${encodeURIComponent(requestId)}/rows${at(page)}`, { signal })).json();
      page = following(answer.next, seen);
      take(answer, page === null);
      if (page === null) return;
    }
  }

  /** The whole result as one file; `onProgress(pages)` reports the number of pages. */
  async function csv(requestId, onProgress, signal) {
    const parts = [];
    const seen = new Set();
    for (let page = null; ; ) {
      const answer = await call(`/requests/${encodeURIComponent(requestId)}/csv${at(page)}`, { signal });
      parts.push(await answer.blob());
      onProgress(parts.length);
      page = following(answer.headers.get("x-next-page"), seen);
      if (page === null) return new Blob(parts, { type: "text/csv;charset=utf-8" });
    }
  }

  return {
    ticket: async () => (await (await call("/ticket", { method: "POST" })).json()).ticket,
    requests: async () => (await (await call("/requests")).json()).requests,
    queries: async () => (await (await call("/queries")).json()).queries,
    rows,
    csv,
  };
}

/** The next page, or null after the last one. Pages that lead back to one that was read have no end. */
function following(next, seen) {
  if (!next) return null;
  if (seen.has(next)) throw new ApiError(500, "the pages of this result have no end; run the query again");
  seen.add(next);
  return next;
}

const at = (page) => (page === null ? "" : `?page=${encodeURIComponent(page)}`);

function either(signal, limit) {
  if (AbortSignal.any) return AbortSignal.any([signal, limit]);
  return signal;
}

async function problem(answer) {
  if (!answer) return new ApiError(0, "the service cannot be reached; check your connection and try again");
  const body = await answer.json().catch(() => ({}));
  const said = typeof body.reason === "string" ? body.reason : null;
  return new ApiError(answer.status, said ?? REASONS[answer.status] ?? "the service has a problem; try again in a moment");
}

const REASONS = {
  401: "your session has ended; sign in again",
  403: "you are not allowed to do this",
  404: "this result is no longer available; run the query again",
  429: "too many requests; try again in a moment",
};

const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

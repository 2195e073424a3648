// One run: its state and time, its chart and its table.

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

import { Chart, isDrawable } from "./chart.jsx";
import { isOver } from "./run.js";
import { asSentence, span } from "./sentences.js";
import { Table } from "./table.jsx";

/** The name of a run's state. */
export function stateWord(run) {
  if (run.isCancelling && !isOver(run)) return "Cancelling …";
  switch (run.state) {
    case "sending": return "Sending …";
    case "running": return "Running …";
    case "receiving":
    case "fetching": return "Receiving …";
    case "kept": return run.total === 1 ? "1 row" : `${run.total.toLocaleString()} rows`;
    case "done": return run.rows.length === 1 ? "1 row" : `${run.rows.length.toLocaleString()} rows`;
    case "failed": return "Failed";
    default: return "Cancelled";
  }
}

export function StateMark({ run }) {
  return <span class={`mark is-${isOver(run) ? run.state : "under-way"}`} aria-hidden="true" />;
}

export function Result({ run, session }) {
  const { title, name, chart, parameters = [] } = run.query;
  const isEnded = isOver(run);
  useEffect(() => session.open(run.requestId), [run.requestId]);
  const cancel = useRef(null);
  // The button disappears at the end of the run; keyboard users must not be sent back to the top of the page.
  const isAtCancel = cancel.current !== null && document.activeElement === cancel.current;
  useLayoutEffect(() => {
    if (isEnded && isAtCancel) document.getElementById("result").focus();
  }, [isEnded]);
  return (
    <>
      <div class="result-head">
        <div>
          <h2>{title ?? name}</h2>
          <Parameters values={run.parameters} definitions={parameters} />
        </div>
        <div class="result-actions">
          {!isEnded && (
            <button type="button" aria-disabled={run.isCancelling} ref={cancel} onClick={() => run.isCancelling || session.cancel(run.requestId)}>Cancel</button>
          )}
          {run.state === "done" && run.columns.length > 0 && <Download run={run} session={session} />}
        </div>
      </div>
      <p class={`state is-${isEnded ? run.state : "under-way"}`}>
        <StateMark run={run} /><span role="status">{stateWord(run)}</span>{!(run.isRestored && isEnded) && <Elapsed run={run} />}
      </p>
      {!isEnded && <Progress run={run} />}
      {run.state === "failed" && <Failure error={run.error} />}
      {run.state === "cancelled" && <p class="text">This run was cancelled before it ended.</p>}
      {run.state === "done" && run.rows.length === 0 && <p class="text">The query found nothing for these values.</p>}
      {run.state === "done" && run.isCapped && <p class="notice">A result has at most {run.rows.length.toLocaleString()} rows. There may be more.</p>}
      {run.state === "done" && chart && isDrawable(run, chart) && <Chart run={run} chart={chart} />}
      {run.rows.length > 0 && run.state !== "failed" && <Table columns={run.columns} rows={run.rows} title={title ?? name} />}
    </>
  );
}

/** Indeterminate while the warehouse works, and with a value while rows arrive. */
function Progress({ run }) {
  if (!(run.total > 0)) return <progress aria-label="under way" />;
  return <progress max={run.total} value={run.rows.length} aria-label={`${run.rows.length} of ${run.total} rows`} />;
}

function Parameters({ values, definitions }) {
  const label = (name) => definitions.find((it) => it.name === name)?.label ?? name;
  const pairs = Object.entries(values);
  if (pairs.length === 0) return null;
  return (
    <dl class="parameters">
      {pairs.map(([name, value]) => <div key={name}><dt>{label(name)}</dt><dd>{String(value)}</dd></div>)}
    </dl>
  );
}

/** Counts while the run is in progress. Screen readers announce the state, not each second. */
function Elapsed({ run }) {
  const [now, setNow] = useState(Date.now());
  const isEnded = isOver(run);
  useEffect(() => {
    if (isEnded) return undefined;
    const timer = setInterval(() => setNow(Date.now()), 100);
    return () => clearInterval(timer);
  }, [isEnded]);
  return <span class="elapsed" role="timer" aria-live="off">{span((run.endedAt ?? now) - run.startedAt)}</span>;
}

function Failure({ error }) {
  return (
    <div class="failure" role="alert">
      <p>{asSentence(error.reason)}</p>
      {error.reference && <p class="reference">If you ask for help, give this reference: <code>{error.reference}</code></p>}
    </div>
  );
}

function Download({ run, session }) {
  const [said, say] = useState("");
  const [isBusy, setBusy] = useState(false);

  async function download() {
    if (isBusy) return;
    setBusy(true);
    say("");
    try {
      const file = await session.csv(run.requestId, (pages) => pages > 1 && say(`${pages} parts …`));
      save(file, `${run.query.name}${Object.values(run.parameters).map((it) => `-${it}`).join("")}.csv`);
      say("");
    } catch (error) {
      say(asSentence(error.message));
    } finally {
      setBusy(false);
    }
  }

  return (
    <>
      <span class="said" role="status">{said}</span>
      <button type="button" aria-disabled={isBusy} onClick={download}>{isBusy ? "Downloading …" : "Download CSV"}</button>
    </>
  );
}

function save(file, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = name.replace(/[^\w.-]+/g, "_");
  link.click();
  // The browser must have started to read it.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

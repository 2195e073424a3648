// The workspace after sign-in: the queries and their parameters on the left, the selected run on the right.

import { useEffect, useMemo, useReducer, useRef, useState } from "preact/hooks";

import { Field, useFocusOnProblem } from "./fields.jsx";
import { Logo } from "./logo.jsx";
import { check, field, hint, initialValues } from "./parameters.js";
import { Result, StateMark, stateWord } from "./result.jsx";
import { isOver } from "./run.js";
import { asSentence, span } from "./sentences.js";
import { TwoSteps } from "./two-steps.jsx";

/** The newest state of the session, updated at each change. */
function useSession(session) {
  const [, again] = useReducer((count) => count + 1, 0);
  useEffect(() => session.subscribe(again), [session]);
  return session;
}

export function Workspace({ session, person, onSignOut }) {
  const { queries, queriesProblem, runs, connectionState } = useSession(session);
  const [shownId, show] = useState(null);
  const [isTwoSteps, setTwoSteps] = useState(false);
  const shown = runs.find((run) => run.requestId === shownId) ?? runs[0] ?? null;
  const result = useRef(null);
  const toggle = useRef(null);

  // Visible while another tab is open.
  const word = shown && stateWord(shown);
  useEffect(() => {
    document.title = word ? `${word} – Queries` : "Queries";
    return () => void (document.title = "Queries");
  }, [word]);

  function start(query, parameters) {
    show(session.run(query, parameters));
    // On a phone, the result is below the fold.
    requestAnimationFrame(() => result.current?.scrollIntoView({ block: "nearest" }));
  }

  function closeTwoSteps() {
    setTwoSteps(false);
    // Focus returns to where it was opened, because the button that closed it is gone.
    toggle.current.focus();
  }

  return (
    <>
      <a class="skip" href="#result">Skip to the result</a>
      <header>
        <h1 class="brand"><Logo />Queries</h1>
        <ConnectionState state={connectionState} />
        <p class="person" title={person.email}>{person.email}</p>
        <button type="button" class="quiet" aria-expanded={isTwoSteps} ref={toggle} onClick={() => setTwoSteps(!isTwoSteps)}>Two-step sign-in</button>
        <button type="button" class="quiet" onClick={onSignOut}>Sign out</button>
      </header>
      <main class="workspace" tabIndex={-1}>
        <div class="side">
          {isTwoSteps && <TwoSteps person={person} onClose={closeTwoSteps} />}
          {queries ? <Ask queries={queries} onRun={start} /> : <Loading problem={queriesProblem} again={() => session.loadQueries()} />}
          {runs.length > 0 && <History runs={runs} shown={shown} onShow={show} />}
        </div>
        <section id="result" class="result" tabIndex={-1} aria-label="Result" ref={result}>
          {shown ? <Result run={shown} session={session} key={shown.requestId} /> : <Empty />}
        </section>
      </main>
    </>
  );
}

const CONNECTION_WORDS = {
  open: "Connected",
  connecting: "Connecting …",
  waiting: "No connection, trying again",
  stopped: "Not connected",
  "signed-out": "Signed out",
};

function ConnectionState({ state }) {
  return <p class={`connection is-${state}`} role="status"><span class="dot" aria-hidden="true" />{CONNECTION_WORDS[state]}</p>;
}

function Loading({ problem, again }) {
  function tryAgain() {
    // The button disappears.
    document.querySelector("main").focus();
    again();
  }

  if (!problem) return <section class="card"><h2>Query</h2><p class="text" role="status">Loading the queries …</p></section>;
  return (
    <section class="card">
      <h2>Query</h2>
      <p class="failure" role="alert">{asSentence(problem)}</p>
      <button type="button" class="primary" onClick={tryAgain}>Try again</button>
    </section>
  );
}

function Empty() {
  return (
    <div class="empty">
      <svg viewBox="0 0 120 64" aria-hidden="true"><path d="M4 56 L28 34 L48 44 L76 14 L96 26 L116 8" /><path class="base" d="M4 61 H116" /></svg>
      <p>Choose a query and run it.<br />Its result appears here.</p>
    </div>
  );
}

/** The choice of a query, and a form with its parameters; input is kept while a different query is selected. */
function Ask({ queries, onRun }) {
  const [name, choose] = useState(queries[0]?.name);
  const query = queries.find((it) => it.name === name) ?? queries[0];
  const [written, setWritten] = useState({});
  const [problems, setProblems] = useState({});
  const form = useFocusOnProblem(problems);
  const initial = useMemo(() => Object.fromEntries(queries.map((it) => [it.name, initialValues(it.parameters ?? [])])), [queries]);
  if (!query) return <section class="card"><h2>Query</h2><p class="text">There are no queries yet.</p></section>;
  const parameters = query.parameters ?? [];
  const values = { ...initial[query.name], ...written[query.name] };

  function change(parameter, value) {
    setWritten({ ...written, [query.name]: { ...written[query.name], [parameter.name]: value } });
    if (problems[parameter.name]) {
      const { [parameter.name]: _gone, ...others } = problems;
      // Not a new problem, so the focus does not move.
      setProblems(Object.keys(others).length ? others : {});
    }
  }

  function send(event) {
    event.preventDefault();
    const found = {};
    const checked = {};
    for (const parameter of parameters) {
      const input = form.current.elements[`parameter-${parameter.name}`];
      const { value, problem } = input.validity?.badInput
        ? check(parameter, "not a value")
        : check(parameter, values[parameter.name] ?? "");
      if (problem) found[parameter.name] = asSentence(problem);
      else if (value !== undefined) checked[parameter.name] = value;
    }
    setProblems(found);
    if (Object.keys(found).length === 0) onRun(query, checked);
  }

  return (
    <form class="card ask" noValidate onSubmit={send} ref={form} aria-label="Query">
      <fieldset class="queries">
        <legend><h2>Query</h2></legend>
        {queries.map((it) => (
          <label class={it === query ? "query is-chosen" : "query"} key={it.name}>
            <input type="radio" name="query" value={it.name} checked={it === query}
              onChange={() => { choose(it.name); setProblems({}); }} />
            <span>{it.title ?? it.name}</span>
          </label>
        ))}
      </fieldset>
      {query.description && <p class="text">{asSentence(query.description)}</p>}
      {parameters.map((parameter) => (
        <Parameter parameter={parameter} value={values[parameter.name] ?? ""} problem={problems[parameter.name]}
          onChange={(value) => change(parameter, value)} key={`${query.name} ${parameter.name}`} />
      ))}
      <button type="submit" class="primary">Run</button>
    </form>
  );
}

function Parameter({ parameter, value, problem, onChange }) {
  const { name, label, type, options, required: isRequired = true } = parameter;
  const about = { id: `parameter-${name}`, name: `parameter-${name}`, label, hint: hint(parameter), problem, optional: !isRequired, required: isRequired };
  if (type !== "choice") {
    const { type, attributes } = field(parameter);
    return <Field {...about} type={type} value={value} {...attributes} onInput={(event) => onChange(event.target.value)} />;
  }
  const control = (all) => (
    <select {...all} value={value} onChange={(event) => onChange(event.target.value)}>
      {value === "" && <option value="">Choose …</option>}
      {options.map((it) => <option value={it} key={it}>{it}</option>)}
    </select>
  );
  return <Field {...about} control={control} />;
}

function History({ runs, shown, onShow }) {
  return (
    <section class="card history" aria-labelledby="history-title">
      <h2 id="history-title">Last 24 hours</h2>
      <ol>
        {runs.map((run) => (
          <li key={run.requestId}>
            <button type="button" class="run" aria-current={run === shown ? "true" : undefined} onClick={() => onShow(run.requestId)}>
              <StateMark run={run} />
              <span class="run-title">{run.query.title ?? run.query.name}</span>
              <span class="run-parameters">{Object.values(run.parameters).join(" · ")}</span>
              <span class="run-state">{stateWord(run)}{run.endedAt !== null && ` · ${span(run.endedAt - run.startedAt)}`}</span>
            </button>
          </li>
        ))}
      </ol>
    </section>
  );
}

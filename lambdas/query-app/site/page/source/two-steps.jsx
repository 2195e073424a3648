// Adding an authenticator app as the second step of signing in.

import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { encode } from "uqr";

import * as account from "./account.js";
import { Field } from "./fields.jsx";
import { sentence } from "./sentences.js";

export function TwoSteps({ person, onClose }) {
  const [setup, setSetup] = useState(null);
  const [problem, setProblem] = useState(null);
  const [isDone, setDone] = useState(false);
  const heading = useRef(null);
  useEffect(() => {
    account.beginTwoSteps(person.email).then(setSetup, (error) => setProblem(sentence(error)));
  }, []);
  // The element that had the focus is behind this form, and later the code's field disappears.
  useLayoutEffect(() => heading.current.focus(), [isDone]);

  async function finish(event) {
    event.preventDefault();
    const code = event.target.elements.code.value.replaceAll(" ", "");
    if (!/^\d{6}$/.test(code)) return setProblem("Enter the code that the app shows, six digits.");
    setProblem(null);
    await account.finishTwoSteps(code).then(() => setDone(true), (error) => setProblem(sentence(error)));
  }

  return (
    <form class="card two-steps" noValidate onSubmit={finish} aria-labelledby="two-steps-title">
      <h2 id="two-steps-title" tabIndex={-1} ref={heading}>Two-step sign-in</h2>
      {isDone && <p class="notice" role="status">From now on, signing in asks for a code from your app.</p>}
      {!isDone && setup && (
        <>
          <Key setup={setup} />
          <Field id="two-steps-code" name="code" label="Code from the app" inputmode="numeric" autocomplete="one-time-code" maxlength={7} problem={problem} required />
        </>
      )}
      {!setup && (problem ? <p class="failure" role="alert">{problem}</p> : <p class="text" role="status">One moment …</p>)}
      <div class="row">
        {!isDone && setup && <button type="submit" class="primary">Turn on</button>}
        <button type="button" onClick={onClose}>{isDone ? "Close" : "Not now"}</button>
      </div>
    </form>
  );
}

/** The key for an authenticator app. */
export function Key({ setup }) {
  return (
    <>
      <p class="text">Scan this code with an authenticator app, or enter the key below in the app. Then enter the code that the app shows.</p>
      <QrCode text={setup.link} />
      <p class="secret"><span class="unseen">Key: </span><code>{setup.secret.replace(/(.{4})/g, "$1 ").trim()}</code></p>
      <p><a href={setup.link}>Open an app on this device</a></p>
    </>
  );
}

/** Drawn here, because no other service may learn the key. */
function QrCode({ text }) {
  const { size, path } = useMemo(() => {
    const { data, size } = encode(text, { ecc: "M", border: 4 });
    const path = data.flatMap((row, y) => row.map((isDark, x) => (isDark ? `M${x} ${y}h1v1h-1z` : "")));
    return { size, path: path.join("") };
  }, [text]);
  return (
    <svg class="qr-code" viewBox={`0 0 ${size} ${size}`} shape-rendering="crispEdges" role="img" aria-label="QR code of the key">
      <path d={path} />
    </svg>
  );
}

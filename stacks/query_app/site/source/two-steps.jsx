// Adding an authenticator app as the second step of signing in.

import { useLayoutEffect, useRef, useState } from "preact/hooks";

import * as account from "./account.js";
import { Field } from "./fields.jsx";
import { sentence } from "./sentences.js";

export function TwoSteps({ person, onClose }) {
  const [setup, setSetup] = useState(null);
  const [problem, setProblem] = useState(null);
  const [isDone, setDone] = useState(false);
  const heading = useRef(null);
  useLayoutEffect(() => {
    heading.current.focus();
    account.beginTwoSteps(person.email).then(setSetup, (error) => setProblem(sentence(error)));
  }, []);

  async function finish(event) {
    event.preventDefault();
    const code = event.target.elements.code.value.replaceAll(" ", "");
    if (!/^\d{6}$/.test(code)) return setProblem("Type the code that the app shows, six digits.");
    setProblem(null);
    await account.finishTwoSteps(code).then(() => setDone(true), (error) => setProblem(sentence(error)));
  }

  return (
    <form class="card two-steps" noValidate onSubmit={finish} aria-labelledby="two-steps-title">
      <h2 id="two-steps-title" tabIndex={-1} ref={heading}>Two-step sign-in</h2>
      {isDone && <p class="notice" role="status">From now on, signing in asks for a code of your app.</p>}
      {!isDone && setup && (
        <>
          <Key setup={setup} />
          <Field id="two-steps-code" name="code" label="Code of the app" inputmode="numeric" autocomplete="one-time-code" maxlength={7} problem={problem} required />
        </>
      )}
      {!setup && problem && <p class="failure" role="alert">{problem}</p>}
      <div class="row">
        {!isDone && setup && <button type="submit" class="primary">Turn on</button>}
        <button type="button" onClick={onClose}>{isDone ? "Close" : "Not now"}</button>
      </div>
    </form>
  );
}

/** What an authenticator app has to know. */
export function Key({ setup }) {
  return (
    <>
      <p class="text">Add this key to an authenticator app, then type the code that it shows.</p>
      <p class="secret"><code>{setup.secret.replace(/(.{4})/g, "$1 ").trim()}</code></p>
      <p><a href={setup.link}>Open an app on this device</a></p>
    </>
  );
}

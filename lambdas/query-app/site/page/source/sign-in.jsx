// The screens before the workspace: sign in, sign up, verify, forgotten password, and Cognito's challenges.

import { useLayoutEffect, useRef, useState } from "preact/hooks";

import * as account from "./account.js";
import { Field, Password, useFocusOnProblem } from "./fields.jsx";
import { Logo } from "./logo.jsx";
import { sentence } from "./sentences.js";
import { Key } from "./two-steps.jsx";

/** `onSignedIn()` is called after signing in; `notice` says why the user has to sign in again. */
export function SignIn({ canSignUp, onSignedIn, notice }) {
  const [screen, setScreen] = useState({ name: "enter", notice });
  const [email, setEmail] = useState("");
  // Only kept between sign-up and the first sign-in.
  const password = useRef("");
  const go = (name, more) => setScreen({ name, ...more });
  const say = (name, notice) => go(name, { notice });
  const enter = (address, word) => account.enter(address, word).then((next) => after(next, address));

  async function after({ step, setup }, address = email) {
    if (step === "done") {
      password.current = "";
      await onSignedIn();
    } else if (step === "verify") {
      await account.resend(address).catch(() => {});
      say("verify", "This address is not verified yet. A new code is on its way.");
    } else if (step === "reset") say("forgotten", "This account needs a new password.");
    else if (step === "unsupported") throw new Error("a challenge that this page does not know");
    else go(step, { setup });
  }

  const screens = {
    enter: () => (
      <Screen title="Sign in" action="Sign in" notice={screen.notice} key="enter"
        submit={async ({ email, password: word }) => {
          setEmail(email);
          password.current = word;
          await enter(email, word);
        }}
        fields={[emailField(email), { name: "password", label: "Password", isPassword: true, autocomplete: "current-password" }]}>
        <button type="button" class="link" onClick={() => go("forgotten")}>Forgotten password</button>
        {canSignUp && <button type="button" class="link" onClick={() => go("register")}>Create an account</button>}
      </Screen>
    ),
    register: () => (
      <Screen title="Create an account" action="Create account" key="register"
        submit={async ({ email, password: word }) => {
          setEmail(email);
          password.current = word;
          const step = await account.register(email, word);
          return step === "verify" ? go("verify") : enter(email, word);
        }}
        fields={[emailField(email), newPasswordField("Password")]}>
        <button type="button" class="link" onClick={() => go("enter")}>Sign in instead</button>
      </Screen>
    ),
    verify: () => (
      <Screen title="Verify your address" action="Verify" notice={screen.notice} key="verify"
        text={`A message with a code is on its way to ${email}. It may take a minute.`}
        submit={async ({ code }) => {
          await account.verify(email, code);
          if (!password.current) return say("enter", "Your address is verified. Sign in now.");
          return enter(email, password.current).catch(() => say("enter", "Your address is verified. Sign in now."));
        }}
        fields={[codeField("Code")]}>
        <Resend again={() => account.resend(email)} />
        <button type="button" class="link" onClick={() => go("enter")}>Back to sign in</button>
      </Screen>
    ),
    code: () => (
      <Screen title="Second step" action="Continue" text="Enter the code that your authenticator app shows now." key="code"
        submit={({ code }) => account.answerChallenge(code).then((next) => after(next))} fields={[codeField("Code from the app")]}>
        <button type="button" class="link" onClick={() => go("enter")}>Back to sign in</button>
      </Screen>
    ),
    "set-up": () => (
      <Screen title="Set up a second step" action="Continue" above={<Key setup={screen.setup} />} key="set-up"
        submit={({ code }) => account.answerChallenge(code).then((next) => after(next))} fields={[codeField("Code from the app")]}>
        <button type="button" class="link" onClick={() => go("enter")}>Back to sign in</button>
      </Screen>
    ),
    "new-password": () => (
      <Screen title="Choose a password" action="Save and continue" key="new-password"
        text="The password that you received is only valid for the first sign-in."
        submit={({ password: word }) => account.answerChallenge(word).then((next) => after(next))} fields={[newPasswordField("New password")]}>
        <button type="button" class="link" onClick={() => go("enter")}>Back to sign in</button>
      </Screen>
    ),
    forgotten: () => (
      <Screen title="Forgotten password" action="Send a code" notice={screen.notice} key="forgotten"
        text="If there is an account with this address, a code will be sent to it."
        submit={async ({ email }) => {
          setEmail(email);
          await account.forget(email);
          go("reset");
        }}
        fields={[emailField(email)]}>
        <button type="button" class="link" onClick={() => go("enter")}>Back to sign in</button>
      </Screen>
    ),
    reset: () => (
      <Screen title="Choose a new password" action="Save" key="reset" text={`If there is an account, a code is on its way to ${email}.`}
        submit={async ({ code, password: word }) => {
          await account.replacePassword(email, code, word);
          say("enter", "Your new password is saved. Sign in with it.");
        }}
        fields={[codeField("Code"), newPasswordField("New password")]}>
        <Resend again={() => account.forget(email)} />
        <button type="button" class="link" onClick={() => go("enter")}>Back to sign in</button>
      </Screen>
    ),
  };
  return <main class="gate">{screens[screen.name]()}</main>;
}

const emailField = (value) => ({
  name: "email", label: "E-mail address", type: "email", autocomplete: "username", inputmode: "email", value, problem: "enter your e-mail address",
  isRight: (text) => /^[^\s@]+@[^\s@]+$/.test(text),
});

const codeField = (label) => ({
  name: "code", label, inputmode: "numeric", autocomplete: "one-time-code", maxlength: 12, problem: "enter the code, six digits",
  isRight: (text) => /^\d{6,8}$/.test(text.replaceAll(" ", "")), read: (text) => text.replaceAll(" ", ""),
});

const newPasswordField = (label) => ({
  name: "password", label, isPassword: true, autocomplete: "new-password",
  hint: "At least 12 characters with upper-case and lower-case letters, a digit and a symbol.",
});

/** A heading, a few fields, one button and links to other screens. Only one submission runs at a time. */
function Screen({ title, action, text, above, notice, fields, submit, children }) {
  const [problems, setProblems] = useState({});
  const [failure, setFailure] = useState(null);
  const [isBusy, setBusy] = useState(false);
  // What is typed is kept, whatever is drawn again: an address that is wrong is corrected, not typed again.
  const [typed, setTyped] = useState({});
  const form = useFocusOnProblem(problems);
  const isHere = useRef(true);
  // This runs before the screen is visible: an effect would run later, and input in between would be lost.
  useLayoutEffect(() => {
    form.current.querySelector("input")?.focus();
    return () => void (isHere.current = false);
  }, []);

  async function send(event) {
    event.preventDefault();
    if (isBusy) return;
    const written = Object.fromEntries(fields.map((it) => [it.name, event.target.elements[it.name].value]));
    // A password may begin with a blank; other values do not begin with one on purpose.
    const values = Object.fromEntries(fields.map((it) => [it.name, it.isPassword ? written[it.name] : (it.read ?? trimmed)(written[it.name].trim())]));
    const wrong = fields.filter((it) => (it.isRight ? !it.isRight(values[it.name]) : values[it.name] === ""));
    setFailure(null);
    setProblems(Object.fromEntries(wrong.map((it) => [it.name, it.problem ?? `enter your ${it.label.toLowerCase()}`])));
    if (wrong.length) return;
    setBusy(true);
    try {
      await submit(values);
    } catch (error) {
      if (isHere.current) setFailure(sentence(error));
    } finally {
      if (isHere.current) setBusy(false);
    }
  }

  return (
    <form class="card" noValidate onSubmit={send} ref={form} aria-labelledby="screen-title" aria-busy={isBusy}>
      <Logo />
      <h1 id="screen-title">{title}</h1>
      {notice && <p class="notice" role="status">{notice}</p>}
      {text && <p class="text">{text}</p>}
      {above}
      <div role="alert">{failure && <p class="failure">{failure}</p>}</div>
      {fields.map(({ isPassword, isRight, read, problem, name, value, ...rest }) => {
        const Control = isPassword ? Password : Field;
        const keep = isPassword ? {} : { value: typed[name] ?? value ?? "", onInput: (event) => setTyped({ ...typed, [name]: event.target.value }) };
        return <Control {...rest} {...keep} id={`field-${name}`} name={name} problem={problems[name]} required />;
      })}
      <button type="submit" class="primary" aria-disabled={isBusy}>{isBusy ? "One moment …" : action}</button>
      <div class="ways">{children}</div>
    </form>
  );
}

const trimmed = (text) => text;

function Resend({ again }) {
  const [said, say] = useState("");
  const send = async () => {
    say("Sending …");
    await again().then(() => say("A new code is on its way."), (error) => say(sentence(error)));
  };
  return (
    <>
      <button type="button" class="link" onClick={send}>Send a new code</button>
      <span class="said" role="status">{said}</span>
    </>
  );
}

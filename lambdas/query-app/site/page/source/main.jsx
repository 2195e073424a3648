// The page's start: reads the addresses of its services, and shows the sign-in or the workspace.

import { render } from "preact";
import { useEffect, useLayoutEffect, useMemo, useState } from "preact/hooks";

import * as account from "./account.js";
import { connectApi } from "./api.js";
import { Logo } from "./logo.jsx";
import { isOver } from "./run.js";
import { Session } from "./session.js";
import { SignIn } from "./sign-in.jsx";
import { Workspace } from "./workspace.jsx";

function Page({ config }) {
  const [person, setPerson] = useState(null);
  const [isOut, setOut] = useState(true);
  const [notice, setNotice] = useState(null);
  const session = useMemo(() => person && newSession(config), [person?.sub]);

  useEffect(() => {
    if (!session) return undefined;
    const wake = () => document.visibilityState === "visible" && session.wake();
    const ends = session.subscribe(() => {
      if (session.connectionState !== "signed-out") return;
      setNotice("Your session has ended. Sign in again; your results are kept.");
      setOut(true);
    });
    const offline = () => session.offline();
    const stay = (event) => session.runs.some((run) => !isOver(run)) && event.preventDefault();
    window.addEventListener("online", wake);
    window.addEventListener("offline", offline);
    window.addEventListener("beforeunload", stay);
    document.addEventListener("visibilitychange", wake);
    return () => {
      ends();
      window.removeEventListener("online", wake);
      window.removeEventListener("offline", offline);
      window.removeEventListener("beforeunload", stay);
      document.removeEventListener("visibilitychange", wake);
      session.stop();
    };
  }, [session]);

  useEffect(() => {
    if (session && !isOut) session.start();
  }, [session, isOut]);

  useLayoutEffect(() => {
    // The form that had the focus has disappeared.
    if (session && !isOut) document.querySelector("main").focus();
  }, [session, isOut]);

  async function signedIn() {
    setPerson(await account.person());
    setNotice(null);
    setOut(false);
  }

  async function signOut() {
    session.stop();
    await account.leave();
    setPerson(null);
    setNotice("You are signed out.");
    setOut(true);
  }

  return (
    <>
      {isOut && <SignIn canSignUp={String(config.signUp) === "true"} notice={notice} onSignedIn={signedIn} key={notice} />}
      {person && <div hidden={isOut}><Workspace session={session} person={person} onSignOut={signOut} key={person.sub} /></div>}
    </>
  );
}

/** Shown instead of everything if the addresses of the services are unknown. */
function Unloaded() {
  return (
    <main class="gate">
      <div class="card">
        <Logo />
        <h1>Queries</h1>
        <p class="failure" role="alert">This page cannot be loaded now. Check your connection, then load it again.</p>
        <button type="button" class="primary" onClick={() => location.reload()}>Load again</button>
      </div>
    </main>
  );
}

function newSession(config) {
  const api = connectApi({ base: config.api, token: account.token });
  let until = 0;
  const learn = async () => void (until = (await account.person())?.until ?? 0);
  const renew = async () => {
    const token = await account.token(true);
    await learn();
    return token !== null;
  };
  const ticket = async () => {
    const ticket = await api.ticket();
    await learn();
    return ticket;
  };
  return new Session({ account: { renew, until: () => until }, api: { ...api, ticket }, socketUrl: config.socket });
}

async function begin() {
  const root = document.getElementById("root");
  try {
    const answer = await fetch("config.json", { cache: "no-store" });
    if (!answer.ok) throw new Error(`config.json: ${answer.status}`);
    const config = await answer.json();
    account.configure(config);
    root.replaceChildren();
    render(<Page config={config} />, root);
  } catch {
    root.replaceChildren();
    render(<Unloaded />, root);
  }
}

begin();

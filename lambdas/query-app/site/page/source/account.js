// Sign-in with Amazon Cognito through AWS's own library, which sends a proof of the password (SRP) and never the password.
//
// Tokens are kept in memory: a page that is reloaded asks to sign in again, and there is nothing in the browser's storage
// that a script or a stranger at the machine could take.

import { Amplify } from "@aws-amplify/core";
import {
  confirmResetPassword, confirmSignIn, confirmSignUp, fetchAuthSession, resendSignUpCode, resetPassword, setUpTOTP, signIn,
  signOut, signUp, updateMFAPreference, verifyTOTPSetup,
} from "@aws-amplify/auth";
import { cognitoUserPoolsTokenProvider } from "@aws-amplify/auth/cognito";

import { expiry } from "./expiry.js";

/** Sets up the library. `cognito` is an endpoint to use instead of AWS's own, if any. */
export function configure({ userPoolId, userPoolClientId, cognito }) {
  const auth = { Cognito: { userPoolId, userPoolClientId, ...(cognito && { userPoolEndpoint: cognito }) } };
  cognitoUserPoolsTokenProvider.setAuthConfig(auth);
  cognitoUserPoolsTokenProvider.setKeyValueStorage(new Memory());
  Amplify.configure({ Auth: auth }, { Auth: { tokenProvider: cognitoUserPoolsTokenProvider } });
}

class Memory {
  #items = new Map();
  setItem = async (key, value) => void this.#items.set(key, value);
  getItem = async (key) => this.#items.get(key) ?? null;
  removeItem = async (key) => void this.#items.delete(key);
  clear = async () => this.#items.clear();
}

/**
 * Each step resolves to what comes next: `{step, setup?}`, the step being `done`, `code` (of the authenticator app), `new-password`,
 * `set-up` (of an authenticator app, with its `setup`), `verify` (the code that was mailed at sign-up), `reset` (a new password by a
 * mailed code) or `unsupported`.
 */
export async function enter(email, password) {
  const { nextStep } = await signIn({ username: email, password, options: { authFlowType: "USER_SRP_AUTH" } });
  return stepAfter(nextStep);
}

export async function answerChallenge(answer) {
  const { nextStep } = await confirmSignIn({ challengeResponse: answer });
  return stepAfter(nextStep);
}

const STEPS = {
  DONE: "done",
  CONFIRM_SIGN_IN_WITH_TOTP_CODE: "code",
  CONFIRM_SIGN_IN_WITH_NEW_PASSWORD_REQUIRED: "new-password",
  CONTINUE_SIGN_IN_WITH_TOTP_SETUP: "set-up",
  CONFIRM_SIGN_UP: "verify",
  RESET_PASSWORD: "reset",
};

function stepAfter({ signInStep, totpSetupDetails }) {
  return { step: STEPS[signInStep] ?? "unsupported", setup: totpSetupDetails && setupOf(totpSetupDetails) };
}

/** The secret for an authenticator app, as text and as a link that such an app on this device opens. */
const setupOf = (details, email) => ({ secret: details.sharedSecret, link: String(details.getSetupUri("Queries", email)) });

export async function register(email, password) {
  const { nextStep } = await signUp({ username: email, password, options: { userAttributes: { email } } });
  return nextStep.signUpStep === "DONE" ? "done" : "verify";
}

export const verify = (email, code) => confirmSignUp({ username: email, confirmationCode: code });
export const resend = (email) => resendSignUpCode({ username: email });
export const forget = (email) => resetPassword({ username: email });
export const replacePassword = (email, code, newPassword) =>
  confirmResetPassword({ username: email, confirmationCode: code, newPassword });

/** Ends the session here, even if Cognito cannot be reached. */
export async function leave() {
  await signOut().catch(() => cognitoUserPoolsTokenProvider.tokenOrchestrator?.clearTokens?.());
}

export async function beginTwoSteps(email) {
  return setupOf(await setUpTOTP(), email);
}

export async function finishTwoSteps(code) {
  await verifyTOTPSetup({ code });
  await updateMFAPreference({ totp: "PREFERRED" });
}

/** The ID token, or null if nobody is signed in. With `isForced`, a new one. */
export async function token(isForced = false) {
  const { tokens } = await fetchAuthSession({ forceRefresh: isForced });
  return tokens?.idToken ? String(tokens.idToken) : null;
}

/** The signed-in user: `{sub, email, until}`, or null. `until` is when the token expires, in milliseconds by this browser's clock. */
export async function person() {
  const { tokens } = await fetchAuthSession();
  const claims = tokens?.idToken?.payload;
  return claims ? { sub: claims.sub, email: claims.email ?? claims["cognito:username"], until: expiry(claims) } : null;
}

// What went wrong, in words for the person in front of the page.

const SENTENCES = {
  NotAuthorizedException: "The e-mail address or the password is wrong.",
  UserNotFoundException: "The e-mail address or the password is wrong.",
  UsernameExistsException: "There is an account with this address already. Sign in, or choose a new password.",
  CodeMismatchException: "This code is wrong. Check the newest message, or ask for a new code.",
  EnableSoftwareTokenMFAException: "This code is wrong. Check that the clock of your device is right, and type the code that is shown now.",
  ExpiredCodeException: "This code has expired. Ask for a new one.",
  LimitExceededException: "That was tried too often. Wait a few minutes, then try again.",
  TooManyRequestsException: "That was tried too often. Wait a few minutes, then try again.",
  TooManyFailedAttemptsException: "That was tried too often. Wait a few minutes, then try again.",
  PasswordResetRequiredException: "This account needs a new password. Choose one with “Forgotten password”.",
  UserLambdaValidationException: "This address may not sign up here. Use the address of your organization.",
  CodeDeliveryFailureException: "The message with the code could not be sent. Check the address.",
  UserNotConfirmedException: "This address is not verified yet.",
  NetworkError: "There is no connection. Check your network, then try again.",
  UserAlreadyAuthenticatedException: "Somebody is signed in already. Load this page again.",
};

const UNKNOWN = "That did not work. Try again in a moment.";

/** A sentence for an error of signing in or up. */
export function sentence(error) {
  const said = String(error?.message ?? "");
  if (error?.name === "NotAuthorizedException" && /attempts exceeded/i.test(said)) return SENTENCES.LimitExceededException;
  if (error?.name === "NotAuthorizedException" && /disabled/i.test(said)) return "This account is disabled. Ask whoever runs this page.";
  if (error?.name === "NotAuthorizedException" && /expired|session/i.test(said)) return "That took too long. Sign in again.";
  if (error?.name === "InvalidPasswordException") return invalidPassword(said);
  if (error?.name === "InvalidParameterException" && /password/i.test(said)) return invalidPassword(said);
  return SENTENCES[error?.name] ?? UNKNOWN;
}

/** Cognito names the one rule that a password breaks. */
function invalidPassword(said) {
  const rules = [
    [/long enough|length/i, "is too short"],
    [/uppercase/i, "needs a capital letter"],
    [/lowercase/i, "needs a small letter"],
    [/numeric|number/i, "needs a digit"],
    [/symbol/i, "needs a character that is neither a letter nor a digit"],
  ];
  const rule = rules.find(([pattern]) => pattern.test(said));
  return `This password ${rule ? rule[1] : "is not strong enough"}.`;
}

/** A reason of the service as a sentence: those come in lower case and without a full stop. */
export function asSentence(reason) {
  const text = String(reason ?? "").trim() || "that did not work; try again in a moment";
  return text[0].toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");
}

/** A span of time as people say it: `0.4 s`, `12 s`, `3 min 05 s`. */
export function span(milliseconds) {
  const seconds = Math.max(0, milliseconds) / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  return `${Math.floor(seconds / 60)} min ${String(Math.floor(seconds % 60)).padStart(2, "0")} s`;
}

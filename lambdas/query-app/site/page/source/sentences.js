// Turns errors into sentences for the user of the page.

const SENTENCES = {
  NotAuthorizedException: "The e-mail address or the password is wrong.",
  UserNotFoundException: "The e-mail address or the password is wrong.",
  UsernameExistsException: "There is already an account with this address. Sign in, or choose a new password.",
  CodeMismatchException: "This code is wrong. Check the newest message, or request a new code.",
  EnableSoftwareTokenMFAException: "This code is wrong. Check that the clock of your device is right, and enter the code that is shown now.",
  ExpiredCodeException: "This code has expired. Request a new one.",
  LimitExceededException: "There were too many attempts. Wait a few minutes, then try again.",
  TooManyRequestsException: "There were too many attempts. Wait a few minutes, then try again.",
  TooManyFailedAttemptsException: "There were too many attempts. Wait a few minutes, then try again.",
  PasswordResetRequiredException: "This account needs a new password. Choose one with “Forgotten password”.",
  UserLambdaValidationException: "This address is not allowed to sign up here. Use an address of your organization, without a “+”.",
  CodeDeliveryFailureException: "The message with the code could not be sent. Check the address.",
  UserNotConfirmedException: "This address is not verified yet.",
  NetworkError: "There is no connection. Check your network, then try again.",
  UserAlreadyAuthenticatedException: "Somebody is already signed in. Reload this page.",
};

const UNKNOWN = "That did not work. Try again in a moment.";

/** A sentence for an error of signing in or up. */
export function sentence(error) {
  const said = String(error?.message ?? "");
  if (error?.name === "NotAuthorizedException" && /attempts exceeded/i.test(said)) return SENTENCES.LimitExceededException;
  if (error?.name === "NotAuthorizedException" && /disabled/i.test(said)) return "This account is disabled. Contact the operators of this page.";
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
    [/lowercase/i, "needs a lower-case letter"],
    [/numeric|number/i, "needs a digit"],
    [/symbol/i, "needs a character that is neither a letter nor a digit"],
  ];
  const rule = rules.find(([pattern]) => pattern.test(said));
  return `This password ${rule ? rule[1] : "is not strong enough"}.`;
}

/** A reason from the service as a sentence: reasons are in lower case and without a full stop. */
export function asSentence(reason) {
  const text = String(reason ?? "").trim() || "that did not work; try again in a moment";
  return text[0].toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");
}

/** A duration as people write it: `0.4 s`, `12 s`, `3 min 05 s`. */
export function span(milliseconds) {
  const seconds = Math.max(0, milliseconds) / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  return `${Math.floor(seconds / 60)} min ${String(Math.floor(seconds % 60)).padStart(2, "0")} s`;
}

// The query page without a service: Cognito, the REST API and the socket are scripted, so that a test can have them give answers
// that the real ones rarely give.

import { readFileSync } from "node:fs";
import { extname, join, normalize } from "node:path";

export const PAGE = "https://query-page.test";
const SERVICE = "https://service.test";
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".json": "application/json" };

/** What the page may do, as in the template: nothing inline, nothing from elsewhere. */
const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; " +
  `connect-src 'self' ${SERVICE} wss://service.test; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

/**
 * Serves the built page in `folder` to `page`. `cognito[Operation](request)` and `rest["GET /path"](url)` answer
 * `{status?, body}`, `socket(connection)` plays the server of each new socket. Anything else has a good answer. `isConfigured()`
 * decides whether the page learns where its services are.
 */
export async function serve(page, { folder, cognito = {}, rest = {}, socket, signUp = true, isConfigured = () => true }) {
  const config = {
    region: "us-east-1", userPoolId: "us-east-1_scripted", userPoolClientId: "scripted", signUp,
    cognito: `${SERVICE}/cognito`, api: `${SERVICE}/live`, socket: "wss://service.test/live",
  };
  await page.route(`${PAGE}/**`, (route) => {
    const path = new URL(route.request().url()).pathname;
    if (path === "/config.json") return isConfigured() ? route.fulfill({ json: config }) : route.fulfill({ status: 503 });
    const file = join(folder, normalize(path === "/" ? "/index.html" : path));
    return route.fulfill({ body: readFileSync(file), contentType: TYPES[extname(file)], headers: { "content-security-policy": POLICY } });
  });
  const cors = { "access-control-allow-origin": "*", "access-control-allow-headers": "*", "access-control-expose-headers": "*" };
  const answer = (route, { status = 200, body = {}, headers = {} }) =>
    route.fulfill({ status, headers: { ...cors, ...headers }, body: typeof body === "string" ? body : JSON.stringify(body) });
  await page.route(`${SERVICE}/cognito**`, (route) => {
    if (route.request().method() === "OPTIONS") return answer(route, {});
    const operation = route.request().headers()["x-amz-target"].split(".")[1];
    const asked = route.request().postDataJSON();
    const scripted = cognito[operation]?.(asked) ?? signedIn[operation]?.(asked) ?? { body: {} };
    return scripted === "no answer" ? route.abort() : answer(route, scripted);
  });
  await page.route(`${SERVICE}/live/**`, (route) => {
    const url = new URL(route.request().url());
    if (route.request().method() === "OPTIONS") return answer(route, {});
    const key = `${route.request().method()} ${url.pathname.slice("/live".length)}`;
    return answer(route, rest[key]?.(url) ?? usual[key]?.() ?? { status: 404, body: {} });
  });
  await page.routeWebSocket(/service\.test/, (connection) => socket(connection));
}

/** An error as Cognito answers it. */
export const refuse = (name, message = name) => ({ status: 400, headers: { "x-amzn-errortype": name }, body: { __type: name, message } });

const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
const token = (more) => {
  const now = Math.floor(Date.now() / 1000);
  return [{ alg: "RS256", kid: "k" }, { sub: "sub-1", email: "ada@example.com", iat: now, exp: now + 3600, ...more }].map(part).concat("c2ln").join(".");
};

/** The answer of a sign-in that worked. */
export const tokens = () => ({
  body: { ChallengeParameters: {}, AuthenticationResult: { AccessToken: token({ token_use: "access", username: "sub-1" }), IdToken: token({ token_use: "id", "cognito:username": "sub-1" }), RefreshToken: "refresh", ExpiresIn: 3600, TokenType: "Bearer" } },
});

const signedIn = {
  InitiateAuth: ({ AuthFlow, AuthParameters }) => AuthFlow === "USER_SRP_AUTH"
    ? { body: { ChallengeName: "PASSWORD_VERIFIER", ChallengeParameters: { SALT: "a1b2c3", SRP_B: "2f".repeat(128), SECRET_BLOCK: "c2VjcmV0", USERNAME: AuthParameters.USERNAME, USER_ID_FOR_SRP: AuthParameters.USERNAME } } }
    : tokens(),
  RespondToAuthChallenge: tokens,
};

export const queries = [
  {
    name: "taxi-month", title: "Trips of a month", description: "Trips, distance and income of New York's yellow taxis, by day.",
    parameters: [{ name: "month", label: "Month", type: "month", required: true, default: "2015-01", minimum: "2015-01", maximum: "2015-12" }],
    chart: { x: "pickup_date", y: "trips", kind: "bar" },
  },
  {
    name: "taxi-tips", title: "Tips by payment", description: "How people tip, by the way they pay.",
    parameters: [
      { name: "month", label: "Month", type: "month", required: true, minimum: "2015-01", maximum: "2015-12" },
      { name: "miles", label: "Shortest distance in miles", type: "decimal", required: false, minimum: "0", maximum: "100" },
      { name: "payment", label: "Payment", type: "choice", options: ["all", "cash", "credit card"], default: "all", required: false },
    ],
    chart: { x: "trips", y: "income", kind: "scatter" },
  },
];

const usual = {
  "POST /ticket": () => ({ status: 201, body: { ticket: "t", expiresIn: 60 } }),
  "GET /queries": () => ({ body: { queries } }),
  "GET /requests": () => ({ body: { requests: [] } }),
};

/** The columns of a result, and its rows: one cell is NULL, and one would do harm if it were more than text. */
export const COLUMNS = [
  { name: "pickup_date", label: "Day", type: "date", nullable: false },
  { name: "trips", label: "Trips", type: "integer", nullable: false },
  { name: "income", label: "Income", type: "decimal", nullable: true },
  { name: "note", label: "Note", type: "text", nullable: true },
];
export const day = (number) => `2015-01-${String(number).padStart(2, "0")}`;
export const ROWS = Array.from({ length: 31 }, (_, at) => [day(at + 1), 9000 + ((at * 7919) % 4000), `${at * 1013}.50`, at === 3 ? null : at === 4 ? "<img src=x onerror=alert(1)>" : `day ${at + 1}`]);

/** A server that answers each run by `play(send, message)`; `all` are the messages of all sockets so far. */
export function server(play) {
  const all = [];
  const connections = [];
  const socket = (connection) => {
    connections.push(connection);
    connection.onMessage((text) => {
      const message = JSON.parse(text);
      all.push(message);
      const send = (answer) => connection.send(JSON.stringify(answer));
      if (message.action === "ping") send({ type: "pong" });
      play(send, message, connections.length);
    });
  };
  return { all, connections, socket };
}

/** The result of every run: a month in two parts. */
export const answers = (send, { action, requestId }) => {
  if (action !== "run") return;
  send({ type: "accepted", requestId });
  send({ type: "rows", requestId, seq: 0, last: false, columns: COLUMNS, rows: ROWS.slice(0, 20), total: 31 });
  send({ type: "rows", requestId, seq: 1, last: true, rows: ROWS.slice(20) });
};

/** Signs in to the page that is served, up to the connection. */
export async function signIn(page) {
  await page.goto(`${PAGE}/`);
  await page.getByLabel("E-mail address").fill("ada@example.com");
  await page.getByLabel("Password", { exact: true }).fill("Correct-horse-1");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByText("Connected", { exact: true }).waitFor();
}

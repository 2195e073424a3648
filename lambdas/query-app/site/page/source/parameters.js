// Parameters of a query: the field of each, and the check of its input.
//
// The server checks again and decides; this check is for the user of the page.

const FIELDS = {
  month: { type: "month", example: "2015-01", pattern: /^\d{4}-(0[1-9]|1[0-2])$/, problem: "choose a month, written like 2015-01" },
  date: { type: "date", example: "2015-01-31", pattern: /^\d{4}-\d{2}-\d{2}$/, problem: "choose a day, written like 2015-01-31" },
  integer: { type: "number", pattern: /^[+-]?\d+$/, problem: "type a whole number" },
  decimal: { type: "number", pattern: /^[+-]?\d*\.?\d+$/, problem: "type a number, with a point before its fraction" },
  text: { type: "text" },
  choice: { type: "text" },
};

/** How a parameter that is not a choice is shown: `{type, attributes}` of an input. */
export function field(parameter) {
  const { type, example } = kind(parameter);
  const { minimum, maximum } = parameter;
  const attributes = {};
  if (type === "number") {
    attributes.step = parameter.type === "integer" ? 1 : "any";
    attributes.inputMode = parameter.type === "integer" ? "numeric" : "decimal";
  }
  if (type !== "text" && minimum != null) attributes.min = minimum;
  if (type !== "text" && maximum != null) attributes.max = maximum;
  // A browser without a month field shows a text field.
  if (example) attributes.placeholder = example;
  if (type === "text") attributes.maxLength = longest(parameter);
  return { type, attributes };
}

/** The initial values of the fields, by name. */
export function initialValues(parameters) {
  return Object.fromEntries(parameters.map((it) => [it.name, it.default == null ? "" : String(it.default)]));
}

/** A hint for the user, or null. */
export function hint({ type, minimum, maximum }) {
  const isNumber = kind({ type }).type === "number";
  if (minimum != null && maximum != null) return `${minimum} to ${maximum}`;
  if (minimum != null) return isNumber ? `at least ${minimum}` : `from ${minimum} on`;
  if (maximum != null) return isNumber ? `at most ${maximum}` : `up to ${maximum}`;
  return null;
}

/** `{value}` to send, `{}` for an optional field left empty, or `{problem}`, a sentence for the field. */
export function check(parameter, text) {
  const written = text.trim();
  if (written === "") return parameter.required === false ? {} : { problem: missing(parameter) };
  if (parameter.type === "choice") return parameter.options.includes(written) ? { value: written } : { problem: "choose one from the list" };
  const { type, pattern, problem } = kind(parameter);
  if (pattern && !pattern.test(written)) return { problem };
  if (parameter.type === "date" && !isDay(written)) return { problem: "this day does not exist" };
  const { minimum, maximum } = parameter;
  // ISO texts of months and days sort in the order of time.
  const isBefore = type === "number" ? (a, b) => Number(a) < Number(b) : (a, b) => a < String(b);
  const isAfter = type === "number" ? (a, b) => Number(a) > Number(b) : (a, b) => a > String(b);
  if (type !== "text" && minimum != null && isBefore(written, minimum)) return { problem: `the lowest is ${minimum}` };
  if (type !== "text" && maximum != null && isAfter(written, maximum)) return { problem: `the highest is ${maximum}` };
  if (type === "text" && [...written].length > longest(parameter)) return { problem: `at most ${longest(parameter)} characters` };
  return { value: written };
}

const kind = (parameter) => FIELDS[parameter.type] ?? FIELDS.text;

/** The server's own limit, if a query has none. */
const longest = ({ maxLength = 200 }) => maxLength;

const missing = ({ type, label }) => (type === "choice" ? "choose one" : `${label} is needed`);

function isDay(text) {
  const day = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text);
}

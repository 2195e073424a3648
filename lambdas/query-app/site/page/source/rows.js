// Cells of a result: how they are compared and displayed.
//
// The server sends integers beyond 2^53 - 1 and all decimals as strings, because a JavaScript number would round them.
// Nothing here turns such a string into a number.

const NUMERIC = new Set(["integer", "decimal", "number"]);

/** Whether a column of this type is right-aligned and compared by value. */
export const isNumeric = (type) => NUMERIC.has(type);

/** A column's name for people: derived from `average_miles` if a query has no other name for it. */
export function heading({ name, label }) {
  const words = (label || name).replaceAll("_", " ").trim();
  return words === words.toLowerCase() ? words.charAt(0).toUpperCase() + words.slice(1) : words;
}

/** The rows in the order of one column, NULL last in either direction; rows that compare equal keep their order. */
export function sorted(rows, column, type, descending) {
  const compare = comparator(type);
  const sign = descending ? -1 : 1;
  return rows
    .map((row, index) => ({ row, index }))
    .sort((a, b) => {
      const [left, right] = [a.row[column], b.row[column]];
      if (left === null || right === null) return (left === null) - (right === null) || a.index - b.index;
      return sign * compare(left, right) || a.index - b.index;
    })
    .map(({ row }) => row);
}

const collator = new Intl.Collator(undefined, { sensitivity: "variant" });

function comparator(type) {
  if (isNumeric(type)) return compareNumbers;
  if (type === "text") return (a, b) => collator.compare(String(a), String(b));
  // Dates and times are ISO texts, whose order is that of their characters; false is before true.
  return (a, b) => (a < b ? -1 : a > b ? 1 : 0);
}

/** Numbers and numbers as texts, exactly. */
export function compareNumbers(a, b) {
  if (typeof a === "number" && typeof b === "number") return a - b;
  const [left, right] = [digits(a), digits(b)];
  if (!left || !right) return Number(a) - Number(b) || 0;
  if (left.negative !== right.negative) return left.negative ? -1 : 1;
  const order = compareMagnitudes(left, right);
  return left.negative ? 0 - order : order;
}

/** Sign, whole digits and fraction of a plain decimal; nothing for `1e5` or `NaN`. */
function digits(value) {
  const match = /^([+-]?)0*(\d*)(?:\.(\d*?)0*)?$/.exec(String(value));
  if (!match) return null;
  const [, sign, whole, fraction = ""] = match;
  return { negative: sign === "-" && (whole + fraction).length > 0, whole, fraction };
}

function compareMagnitudes(a, b) {
  if (a.whole.length !== b.whole.length) return a.whole.length - b.whole.length;
  const [left, right] = [a.whole + a.fraction, b.whole + b.fraction];
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Whether the numbers of a column are written in groups: 12,345. A column with at most four digits may contain years. */
export function isGrouped(rows, column, type) {
  return type !== "integer" || rows.some((row) => row[column] !== null && (digits(row[column])?.whole.length ?? 0) > 4);
}

/** A cell as people read it; NULL is the empty text. `locale` defaults to the browser's. */
export function readable(value, type, { grouped = true, locale } = {}) {
  if (value === null || value === undefined) return "";
  if (type === "boolean") return value ? "yes" : "no";
  if (type === "timestamp") return String(value).replace("T", " ");
  if (!isNumeric(type)) return String(value);
  const parts = digits(value);
  if (!parts) return String(value);
  // A fraction keeps its zeros, because 12.50 is an amount; one that is too long to format is not changed.
  const places = /\.(\d+)$/.exec(String(value))?.[1].length ?? 0;
  if (places > 20) return String(value);
  return numbers(places, grouped, locale).format(String(value));
}

const formats = new Map();

/** Creating one costs more than using it ten thousand times. */
function numbers(places, grouped, locale) {
  const key = `${places} ${grouped} ${locale}`;
  if (!formats.has(key)) {
    const options = { minimumFractionDigits: places, maximumFractionDigits: places, useGrouping: grouped };
    formats.set(key, new Intl.NumberFormat(locale, options));
  }
  return formats.get(key);
}

import assert from "node:assert/strict";
import { test } from "node:test";

import { check, field, hint, initialValues } from "../source/parameters.js";

const month = { name: "month", label: "Month", type: "month", required: true, minimum: "2015-01", maximum: "2015-12" };
const miles = { name: "miles", label: "Miles", type: "decimal", required: false, minimum: "0", maximum: "100" };
const payment = { name: "payment", label: "Payment", type: "choice", options: ["Cash", "Card"], required: true };

test("what will do is sent as it was written, and what will not gets a sentence", () => {
  const cases = [
    [month, "2015-01", { value: "2015-01" }], [month, " 2015-12 ", { value: "2015-12" }], [month, "", { problem: "Month is needed" }],
    [month, "2015-13", { problem: "choose a month, written like 2015-01" }], [month, "January 2015", { problem: "choose a month, written like 2015-01" }],
    [month, "2014-12", { problem: "the lowest is 2015-01" }], [month, "2016-01", { problem: "the highest is 2015-12" }],
    [miles, "", {}], [miles, "99.5", { value: "99.5" }], [miles, "1e2", { problem: "type a number, with a point before its fraction" }],
    [miles, "100.01", { problem: "the highest is 100" }], [miles, "-1", { problem: "the lowest is 0" }], [{ ...miles, minimum: "5" }, "10", { value: "10" }],
    [{ ...miles, type: "integer" }, "1.5", { problem: "type a whole number" }],
    [payment, "Cash", { value: "Cash" }], [payment, "cash", { problem: "choose one from the list" }], [payment, "", { problem: "choose one" }],
    [{ name: "d", type: "date" }, "2015-02-29", { problem: "this day does not exist" }], [{ name: "d", type: "date" }, "2016-02-29", { value: "2016-02-29" }],
    [{ name: "t", type: "text", maxLength: 3 }, "äöüß", { problem: "at most 3 characters" }],
  ];
  for (const [parameter, text, expected] of cases) assert.deepEqual(check(parameter, text), expected, `${parameter.name}: ${text}`);
});

test("a field fits its parameter", () => {
  assert.deepEqual(field(month), { type: "month", attributes: { min: "2015-01", max: "2015-12", placeholder: "2015-01" } });
  assert.deepEqual(field({ ...miles, type: "integer" }).attributes, { step: 1, inputMode: "numeric", min: "0", max: "100" });
  assert.deepEqual(field({ type: "something new" }), { type: "text", attributes: { maxLength: 200 } });
  assert.deepEqual(initialValues([{ ...month, default: "2015-02" }, miles]), { month: "2015-02", miles: "" });
  assert.deepEqual([hint(month), hint({ type: "date", minimum: "2015-01-01" }), hint({ type: "integer", maximum: "9" }), hint(payment)], ["2015-01 to 2015-12", "from 2015-01-01 on", "at most 9", null]);
});

import assert from "node:assert/strict";
import { test } from "node:test";

import { compareNumbers, heading, isGrouped, readable, sorted } from "../source/rows.js";

const column = (values, type, descending = false) => sorted(values.map((it) => [it]), 0, type, descending).map(([it]) => it);

test("numbers sort by value however they came, and beyond what a JavaScript number holds", () => {
  const values = ["9007199254740993", 9007199254740991, "9007199254740992", -5, "-5.5", "10.05", "10.5", 9, "0009.0", null];
  assert.deepEqual(column(values, "decimal"), ["-5.5", -5, 9, "0009.0", "10.05", "10.5", 9007199254740991, "9007199254740992", "9007199254740993", null]);
});

test("NULL is last in both directions, and equal rows keep their order", () => {
  const rows = [["a", null], ["b", 1], ["c", 2], ["d", 1]];
  assert.deepEqual(sorted(rows, 1, "integer", false).map(([it]) => it), ["b", "d", "c", "a"]);
  assert.deepEqual(sorted(rows, 1, "integer", true).map(([it]) => it), ["c", "b", "d", "a"]);
});

test("texts sort as people read, days as days, no before yes", () => {
  assert.deepEqual(column(["b", "Ä", "a", "B"], "text"), ["a", "Ä", "b", "B"]);
  assert.deepEqual(column(["2015-02-01", "2014-12-31", "2015-01-15"], "date", true), ["2015-02-01", "2015-01-15", "2014-12-31"]);
  assert.deepEqual(column([true, null, false], "boolean"), [false, true, null]);
});

test("comparing is the same as exact arithmetic", () => {
  let seed = 7;
  const random = (below) => (seed = (seed * 48271) % 2147483647) % below;
  const decimal = () => `${random(2) ? "-" : ""}${"0".repeat(random(2))}${random(10 ** random(9))}.${String(random(1000)).padStart(3, "0").slice(0, random(4))}`.replace(/\.$/, "");
  const scaled = (text) => {
    const [whole, fraction = ""] = text.replace("-", "").split(".");
    return (text.startsWith("-") ? -1n : 1n) * BigInt(whole + fraction.padEnd(3, "0"));
  };
  for (let round = 0; round < 5000; round++) {
    const [a, b] = [decimal(), decimal()];
    const exact = scaled(a) < scaled(b) ? -1 : scaled(a) > scaled(b) ? 1 : 0;
    assert.equal(Math.sign(compareNumbers(a, b)), exact, `${a} and ${b}`);
  }
});

test("cells are written exactly, in the language of the reader", () => {
  const cases = [
    [9007199254740993n.toString(), "integer", "9,007,199,254,740,993"], ["1234.50", "decimal", "1,234.50"], [-0.25, "number", "-0.25"], ["1e300", "number", "1e300"],
    ["NaN", "number", "NaN"], [true, "boolean", "yes"], [null, "integer", ""], ["2015-01-01T10:00:00", "timestamp", "2015-01-01 10:00:00"], ["<b>", "text", "<b>"],
  ];
  for (const [value, type, text] of cases) assert.equal(readable(value, type, { locale: "en-US" }), text);
  assert.equal(readable("1234.50", "decimal", { locale: "de-DE" }), "1.234,50");
});

test("a column of years is not grouped, a column of amounts is", () => {
  assert.equal(isGrouped([[2015], [null], ["2016"]], 0, "integer"), false);
  assert.equal(isGrouped([[2015], [12015]], 0, "integer"), true);
  assert.equal(isGrouped([["1.00"]], 0, "decimal"), true);
});

test("a column has a name for people", () => {
  const cases = [["pickup_date", "pickup_date", "Pickup date"], ["n", "Number of trips", "Number of trips"], ["n", "", "N"], ["iPhone_sales", "", "iPhone sales"]];
  for (const [name, label, text] of cases) assert.equal(heading({ name, label }), text);
});

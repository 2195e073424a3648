import assert from "node:assert/strict";
import { test } from "node:test";

import { expiry } from "../source/expiry.js";

const HOUR = 3_600_000;

test("a clock that is hours off changes nothing about how long a token is valid", () => {
  const issued = 1_714_557_600;
  for (const [hours, iat] of [[-5, issued], [0, issued + 1], [1, issued + 2], [26, issued + 3]]) {
    const now = iat * 1000 + hours * HOUR;
    const until = expiry({ iat, exp: iat + 3600 }, now);
    assert.equal(until - now, HOUR);
    assert.equal(expiry({ iat, exp: iat + 3600 }, now + HOUR / 2), until, "the same token later expires at the same time");
  }
});

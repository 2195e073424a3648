// When a token expires by this browser's clock, which may be hours off.

/** When the newest token arrived, by the time at which it was issued. */
let arrival = { iat: null, at: 0 };

/** Milliseconds: as long after the token's arrival as it is valid after it was issued. */
export function expiry({ iat, exp }, now = Date.now()) {
  if (arrival.iat !== iat) arrival = { iat, at: now };
  return arrival.at + (exp - iat) * 1000;
}

// Chromium as the tests use it: no network beyond this machine, no profile, and nothing on a page may go wrong unseen.

import { chromium } from "playwright-core";

/** What a page needs at most for one thing, on a slow machine. */
const LONGEST_WAIT = 20_000;

/**
 * Runs `work(page, shot)` on a phone-sized or desktop page; any error of the page's own, refused resource included, fails it,
 * unless it is like one of `expected`.
 */
export async function withPage({ dark = false, phone = false, pictures, expected = [] }, work) {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
  try {
    const page = await browser.newPage({
      colorScheme: dark ? "dark" : "light",
      viewport: phone ? { width: 390, height: 844 } : { width: 1200, height: 800 },
    });
    page.setDefaultTimeout(LONGEST_WAIT);
    const faults = [];
    page.on("pageerror", (error) => faults.push(String(error)));
    page.on("console", (line) => line.type() === "error" && faults.push(line.text()));
    const shot = (name) => page.screenshot({ path: `${pictures}/${name}.png`, fullPage: true });
    await work(page, shot);
    expect(faults.filter((fault) => !expected.some((pattern) => pattern.test(fault))), []);
  } finally {
    await browser.close();
  }
}

/** Fails with both values when they differ. */
export function expect(actual, expected) {
  const [is, wanted] = [actual, expected].map((it) => JSON.stringify(it));
  if (is !== wanted) throw new Error(`it is ${is}, expected was ${wanted}`);
}

// Chromium as the tests use it: no network beyond this machine, no profile, and every error on a page is noticed.

import { setTimeout as pause } from "node:timers/promises";

import { chromium } from "playwright-core";

import { accessFaults } from "./access.mjs";

/** What one thing needs at most, on a slow machine that has more to do; milliseconds. */
export const LONGEST_WAIT = 60_000;

/**
 * Runs `work(page, shot)` on a phone-sized or desktop page. Any error of the page fails it, including a refused resource, unless it
 * matches one of `expected`. `shot(name)` saves a picture of the page, which must be usable by everybody.
 */
export async function withPage({ dark = false, phone = false, pictures, expected = [] }, work) {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
    timeout: LONGEST_WAIT,
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
    const shot = async (name) => {
      await page.screenshot({ path: `${pictures}/${name}.png`, fullPage: true });
      expect(await accessFaults(page), []);
    };
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

/** Fails with both values when what `look()` gives still differs after a long time: a page changes some time after its cause. */
export async function eventually(look, expected) {
  const wanted = JSON.stringify(expected);
  let is = JSON.stringify(await look());
  for (const giveUp = Date.now() + LONGEST_WAIT; is !== wanted && Date.now() < giveUp; is = JSON.stringify(await look())) await pause(50);
  if (is !== wanted) throw new Error(`it stays ${is}, expected was ${wanted}`);
}

/** Whether nothing has to be scrolled sideways. */
export const fits = (page) => page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth);

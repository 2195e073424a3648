// Whether everybody can use a page, as far as a program can check: https://github.com/dequelabs/axe-core

import axe from "axe-core";

/** WCAG 2.2 up to level AA, including the contrast of text, and what axe-core's authors consider good practice in addition. */
const RULES = { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] };

/** What axe-core finds wrong on the page as it is now, each with the element. */
export async function accessFaults(page) {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate((rules) => window.axe.run(document, rules), RULES);
  return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html}: ${node.failureSummary}`));
}

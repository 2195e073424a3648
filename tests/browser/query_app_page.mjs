// The query page against a scripted service: query_app_page.mjs FOLDER PICTURES [NAME]
// FOLDER is what scripts/build-site made; with NAME, only the trials that have it in theirs. What a running service answers seldom is
// tried here; query_app.mjs runs the real thing.

import { running } from "./query_page/running.mjs";
import { signingIn } from "./query_page/signing_in.mjs";

const [folder, pictures, wanted = ""] = process.argv.slice(2);

const trials = Object.entries({ ...signingIn, ...running }).filter(([name]) => name.includes(wanted));
for (const [name, trial] of trials) {
  try {
    await trial({ folder, pictures });
    console.error(`ok   ${name}`);
  } catch (error) {
    throw new Error(`${name}: ${error.message}`, { cause: error });
  }
}
console.log(JSON.stringify({ trials: trials.length }));

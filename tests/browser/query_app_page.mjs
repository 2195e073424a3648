// The query page against a scripted service: query_app_page.mjs FOLDER PICTURES [NAME]
// FOLDER is the output of scripts/build-site; with NAME, only the tests whose names contain it run. This tests what a running service
// rarely answers; query_app.mjs runs the real thing.

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

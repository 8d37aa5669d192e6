// An export → Arrow IPC in Node.
//
//   node benches/ours/node_batches.mjs SRC [OUT]
//
// Prints seconds and items; with OUT the batches are written there, one IPC stream a file.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openExport } from "../../bindings-wasm/npm/dist/node.js";

const [src, out] = process.argv.slice(2);
const start = performance.now();
const batches = (await openExport(src)).readBatches();
if (out) mkdirSync(out, { recursive: true });
let count = 0;
for await (const ipc of batches) {
  if (out) writeFileSync(join(out, `${String(count).padStart(6, "0")}.arrows`), ipc);
  count += 1;
}
console.log(JSON.stringify({ seconds: (performance.now() - start) / 1000, items: batches.report.items }));

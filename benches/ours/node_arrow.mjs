// An export → an Arrow IPC stream in memory, in Node.
//
//   node benches/ours/node_arrow.mjs SRC [OUT]
//
// Prints seconds and items; with OUT the stream is written to a file in that folder.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openExport } from "../../bindings-wasm/npm/dist/node.js";

const [src, out] = process.argv.slice(2);
const start = performance.now();
const stream = (await openExport(src)).toArrow();
const ipc = await stream.bytes();
console.log(JSON.stringify({ seconds: (performance.now() - start) / 1000, items: stream.report.items }));
if (out) {
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, "items.arrows"), ipc);
}

// The items of an export as objects: gunzip, JSON.parse, then unmarshall of the AWS SDK.
//
//   node benches/peers/node_unmarshall.mjs SRC [--digest]
//
// Prints seconds and items; with --digest also what the texts and integers come to.

import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { unmarshall } from "@aws-sdk/util-dynamodb";

const [src, digest] = process.argv.slice(2);
const manifest = readdirSync(src, { recursive: true }).find((path) => path.endsWith("manifest-files.json"));
const entries = readFileSync(join(src, manifest), "utf8").trimEnd().split("\n").map((line) => JSON.parse(line));

function* items() {
  for (const { dataFileS3Key } of entries) {
    // A line at a time: the text of a large file is longer than a string can be.
    const bytes = gunzipSync(readFileSync(join(src, dataFileS3Key)));
    for (let at = 0, end; (end = bytes.indexOf(10, at)) >= 0; at = end + 1) {
      yield unmarshall(JSON.parse(bytes.toString("utf8", at, end)).Item);
    }
  }
}

if (digest) {
  /** By attribute: values, then UTF-16 units of texts or the sum of integers. */
  const texts = {};
  const integers = {};
  for (const item of items()) {
    for (const [name, value] of Object.entries(item)) {
      if (typeof value === "string") {
        const found = (texts[name] ??= [0, 0]);
        found[0] += 1;
        found[1] += value.length;
      } else if (typeof value === "bigint" || Number.isInteger(value)) {
        const found = (integers[name] ??= [0, 0n]);
        found[0] += 1;
        found[1] += BigInt(value);
      }
    }
  }
  for (const found of Object.values(integers)) found[1] = String(found[1]);
  console.log(JSON.stringify({ texts, integers }));
} else {
  const start = performance.now();
  let count = 0;
  for (const _ of items()) count += 1;
  console.log(JSON.stringify({ seconds: (performance.now() - start) / 1000, items: count }));
}

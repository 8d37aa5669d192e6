/** Legacy dumps, of AWS Data Pipeline and the EMR connector: told, and read as an export is. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { openExport } from "dynarrow";
import { type Item, SHOP, bytesOf, failsWith, itemsOf } from "./support.ts";

/** A value with the descriptors of dumps. */
function lower(value: unknown): unknown {
  const [[descriptor, inner]] = Object.entries(value as object) as [[string, unknown]];
  const name = descriptor.slice(0, 1).toLowerCase() + descriptor.slice(1);
  if (descriptor === "L") return { [name]: (inner as unknown[]).map(lower) };
  if (descriptor === "M") return { [name]: Object.fromEntries(Object.entries(inner as object).map(([key, member]) => [key, lower(member)])) };
  return { [name]: inner };
}

const jsonLine = (item: Item): string => `{${Object.entries(item).map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(lower(value))}`).join(",")}}\n`;
const hiveLine = (item: Item): string => `${Object.entries(item).map(([name, value]) => `${name}\x03${JSON.stringify(lower(value))}`).join("\x02")}\n`;

const ITEMS = itemsOf(SHOP);
const HALF = 1000;
const FIRST = Buffer.from(ITEMS.slice(0, HALF).map(jsonLine).join(""));
const SECOND = gzipSync(ITEMS.slice(HALF).map(hiveLine).join(""));
const MANIFEST = JSON.stringify({ version: 3, entries: [{ url: "s3n://gone/dump/0b2c" }, { url: "s3://gone/dump/f3a1", mandatory: true }] });

async function linesOf(stream: ReadableStream<Uint8Array>): Promise<string> {
  return Buffer.from(await bytesOf(stream)).toString();
}

test("a dump gives the items of an export", async () => {
  const expected = await linesOf((await openExport(SHOP)).toNdjson());
  const data: [string, Uint8Array][] = [["0b2c", FIRST], ["f3a1", SECOND]];
  const dump = await openExport(new Map([["manifest", Buffer.from(MANIFEST)], ["_SUCCESS", new Uint8Array()], ...data]));
  assert.equal(dump.summary, null);
  assert.deepEqual(dump.files.map(({ name }) => name), ["s3n://gone/dump/0b2c", "s3://gone/dump/f3a1"]);
  assert.equal(await linesOf(dump.toNdjson()), expected);
  const report = await dump.verify();
  assert.deepEqual([report.ok, report.items], [true, ITEMS.length]);
  // Without the manifest the bytes tell; or the caller does.
  assert.equal(await linesOf((await openExport(new Map(data))).toNdjson()), expected);
  assert.equal(await linesOf((await openExport(new Map(data), { format: "legacy" })).toNdjson()), expected);
});

test("a mandatory file that is missing", async () => {
  const dump = await openExport(new Map([["manifest", Buffer.from(MANIFEST)], ["0b2c", FIRST]]));
  assert.equal(dump.files[1]?.key, null);
  await failsWith({ code: "E_FILE_MISSING", file: "s3://gone/dump/f3a1" }, linesOf(dump.toNdjson()));
});

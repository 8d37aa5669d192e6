/** Checking: all findings, not the first. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Export, openExport } from "dynarrow";
import { SHOP, dataFile, editManifest, filesBelow, makeExport } from "./support.ts";

async function findings(exp: Export): Promise<(string | null)[][]> {
  const report = await exp.verify();
  assert.equal(report.ok, report.findings.every(({ severity }) => severity === "note"));
  return report.findings.map(({ severity, code, file }) => [severity, code, file?.split("/").at(-1) ?? null]);
}

const one = dataFile("one", [{ a: { S: "x" } }, { a: { S: "y" } }]);
const two = dataFile("two", [{ a: { N: "1" } }]);

test("the sample export is what its manifests say", async () => {
  for (const source of [SHOP, filesBelow(SHOP)]) {
    const report = await (await openExport(source)).verify();
    assert.deepEqual(report, { ok: true, findings: [], files: 4, items: 3000, bytes: 387_968 });
  }
});

test("all findings of a broken export", async () => {
  const bad = { name: "bad.json.gz", bytes: one.bytes.subarray(0, 30), itemCount: 2 };
  const made = makeExport([one, bad, { ...two, itemCount: 5 }, dataFile("gone", [])]);
  made.delete([...made.keys()].find((key) => key.endsWith("gone.json.gz")) ?? "");
  made.set("AWSDynamoDB/01754291340850-fceb8e51/data/more.json.gz", two.bytes);
  editManifest(made, "manifest-summary.json", (text) => text.replace('"itemCount":9', '"itemCount":10'));
  assert.deepEqual(await findings(await openExport(made)), [
    ["error", "E_MD5", "manifest-summary.json"],
    ["error", "E_TRUNCATED", "bad.json.gz"],
    ["error", "E_ITEM_COUNT", "two.json.gz"],
    ["error", "E_FILE_MISSING", "gone.json.gz"],
    ["error", "E_ITEM_COUNT", "input"],
    ["note", "E_MANIFEST", "more.json.gz"],
  ]);
});

test("checksums, etags and records", async () => {
  const made = makeExport([one, two]);
  editManifest(made, "manifest-files.json", (text) => text.replace(/"md5Checksum":"[^"]*"/, '"md5Checksum":"FjvgqIxwymKf1RbbqtrZag=="'));
  made.delete([...made.keys()].find((key) => key.endsWith("manifest-files.md5")) ?? "");
  assert.deepEqual(await findings(await openExport(made)), [
    ["note", "E_MANIFEST", "manifest-files.json"],
    ["error", "E_MD5", "one.json.gz"],
    ["note", "E_ETAG", "one.json.gz"],
  ]);

  const records = makeExport([{ ...dataFile("odd", [{ a: { X: "x" } }, { a: { S: "x" } }, { a: { S: "x", N: "1" } }]) }]);
  const report = await (await openExport(records)).verify();
  assert.equal(report.items, 3);
  assert.deepEqual(report.findings.map(({ code, line, item, path }) => [code, line, item, path]), [
    ["E_DESCRIPTOR", 1, 0, "a"],
    ["E_DESCRIPTOR", 3, 2, "a"],
  ]);
});

test("progress", async () => {
  const seen: number[] = [];
  const exp = await openExport(SHOP, { chunkSize: 100_000 });
  await exp.verify({ onProgress: ({ done, total, items }) => assert.ok(seen.push(done) && total === 387_968 && items <= 3000) });
  assert.deepEqual(seen, [100_000, 136_892, 236_892, 263_650, 363_650, 387_948, 387_968]);
});

/** Opening: every kind of source gives the same export. */

import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";
import { type Export, type ExportSource, openExport } from "dynarrow";
import { SHOP, collect, dataFile, editManifest, failsWith, filesBelow, makeExport } from "./support.ts";

const scratch = mkdtempSync(join(tmpdir(), "dynarrow-"));
after(() => rmSync(scratch, { recursive: true }));

const ID = "AWSDynamoDB/01754291340850-fceb8e51";

async function countOf(exp: Export): Promise<number> {
  const reader = exp.readBatches({ columns: ["PK"] });
  await collect(reader);
  return reader.report?.items ?? -1;
}

test("the metadata of the sample export", async () => {
  const exp = await openExport(SHOP);
  assert.equal(exp.summary?.itemCount, 3000);
  assert.equal(exp.summary.outputFormat, "DYNAMODB_JSON");
  const manifest = readFileSync(join(SHOP, ID, "manifest-summary.json"), "utf8");
  assert.deepEqual(exp.summary, JSON.parse(manifest));
  assert.equal(exp.files.length, 4);
  assert.deepEqual(exp.files[0], {
    name: `${ID}/data/tsgabxnwqhlacq4ky27cfxc6ny.json.gz`,
    key: `${ID}/data/tsgabxnwqhlacq4ky27cfxc6ny.json.gz`,
    size: 136_892,
    itemCount: 1064,
    md5Checksum: "MHYntjG53KsxB9AKJ5dZ6g==",
    etag: "3c0ae501d85d3d884a7ca6ae956f7bb2-1",
  });
});

test("every source gives the same export", async () => {
  const files = filesBelow(SHOP);
  const entries = [...files];
  const fileList = entries.map(([key, bytes]) => {
    const file = new File([bytes as Uint8Array<ArrayBuffer>], key.split("/").at(-1) ?? "");
    return Object.defineProperty(file, "webkitRelativePath", { value: `shop/${key}` });
  });
  // The export's folder alone, as a file input gives it.
  const inFolder = new Map(entries.map(([key, bytes]) => [key.replace("AWSDynamoDB/", ""), bytes]));
  const sources: (string | URL | ExportSource)[] = [
    SHOP,
    `${SHOP}/`,
    pathToFileURL(SHOP),
    join(SHOP, "AWSDynamoDB"),
    join(SHOP, ID),
    join(SHOP, ID, "manifest-files.json"),
    join(SHOP, ID, "manifest-summary.json"),
    files,
    entries,
    new Map(entries.map(([key, bytes]) => [key, new Blob([bytes as Uint8Array<ArrayBuffer>])])),
    new Map(entries.map(([key, bytes]) => [key, bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer])),
    fileList,
    inFolder,
  ];
  for (const [at, source] of sources.entries()) {
    const exp = await openExport(source);
    assert.equal(exp.summary?.itemCount, 3000, `source ${at}`);
    assert.deepEqual(exp.files.map((file) => file.size), [136_892, 126_758, 124_298, 20], `source ${at}`);
    assert.equal(await countOf(exp), 3000, `source ${at}`);
  }
});

test("copied exports: resolved by their base names", async () => {
  const flat = join(scratch, "flat");
  mkdirSync(flat);
  for (const [key, bytes] of filesBelow(SHOP)) writeFileSync(join(flat, key.split("/").at(-1) ?? ""), bytes);
  assert.equal(await countOf(await openExport(flat)), 3000);

  // As incremental exports have it: the data beside the manifests' folder.
  const beside = join(scratch, "beside");
  cpSync(SHOP, beside, { recursive: true });
  renameSync(join(beside, ID, "data"), join(beside, "AWSDynamoDB/data"));
  assert.equal(await countOf(await openExport(beside)), 3000);
  assert.equal(await countOf(await openExport(join(beside, ID))), 3000);
});

test("data files without manifests", async () => {
  const folder = join(scratch, "plain");
  mkdirSync(folder);
  writeFileSync(join(folder, "b.json"), '{"Item":{"PK":{"S":"2"}}}\n');
  writeFileSync(join(folder, "a.json"), '{"PK":{"S":"1"}}\n');
  writeFileSync(join(folder, ".hidden"), "no JSON");
  const exp = await openExport(folder);
  assert.equal(exp.summary, null);
  assert.deepEqual(exp.files.map(({ key, name }) => [key, name]), [["a.json", join(folder, "a.json")], ["b.json", join(folder, "b.json")]]);
  assert.equal(await countOf(exp), 2);
  assert.equal(await countOf(await openExport(join(folder, "a.json"))), 1);
  const bytes = readFileSync(join(folder, "a.json"));
  assert.equal(await countOf(await openExport(bytes)), 1);
  assert.equal(await countOf(await openExport(new Blob([bytes]))), 1);
  assert.equal(await countOf(await openExport(new Map([["_a.json", bytes], ["a.json", bytes]]))), 1);
});

test("what cannot be opened", async () => {
  const nothing = join(scratch, "nothing");
  await failsWith({ code: "E_NOT_FOUND", file: nothing }, openExport(nothing));
  mkdirSync(nothing);
  await failsWith({ code: "E_NOT_FOUND", file: nothing }, openExport(nothing));
  await failsWith({ code: "E_NOT_FOUND" }, openExport(new Map()));
  await failsWith({ code: "E_USAGE" }, openExport(1 as unknown as Blob));
  await failsWith({ code: "E_USAGE" }, openExport(["x"] as unknown as File[]));
  await failsWith({ code: "E_USAGE" }, openExport(new Map([["a", "text"]]) as unknown as Map<string, Blob>));
  await failsWith({ code: "E_USAGE" }, openExport([["a", new Blob()], ["a", new Blob()]]));
  await failsWith({ code: "E_USAGE" }, openExport(new Blob(), { chunkSize: 0 }));

  const shop = [...filesBelow(SHOP)];
  const two = new Map(["a/", "b/"].flatMap((folder) => shop.map(([key, bytes]) => [folder + key, bytes] as const)));
  await failsWith({ code: "E_SEVERAL_EXPORTS" }, openExport(two));
  for (const broken of ["", "[]", "{", '{"itemCount":-1}', "\0"]) {
    const made = makeExport([dataFile("a", [])]);
    editManifest(made, "manifest-summary.json", () => broken);
    await failsWith({ code: "E_MANIFEST", file: `${ID}/manifest-summary.json` }, openExport(made));
  }
});

test("a key that leads out of the export", async () => {
  for (const key of ["../../secret.json.gz", "/etc/passwd", "a/../../b", "s3://other/key", "", "..\\\\b"]) {
    const made = makeExport([dataFile("a", [])]);
    editManifest(made, "manifest-files.json", (text) => text.replace(/"dataFileS3Key":"[^"]*"/, `"dataFileS3Key":"${key}"`));
    await failsWith({ code: "E_KEY", file: `${ID}/manifest-files.json` }, openExport(made));
  }
});

test("a link that leads out of the export", async () => {
  const linked = join(scratch, "linked");
  cpSync(SHOP, linked, { recursive: true });
  const file = join(linked, ID, "data/tsgabxnwqhlacq4ky27cfxc6ny.json.gz");
  rmSync(file);
  symlinkSync(join(SHOP, ID, "data/tsgabxnwqhlacq4ky27cfxc6ny.json.gz"), file);
  await failsWith({ code: "E_KEY", file }, openExport(linked));
});

test("a file that cannot be read", async () => {
  const gone = join(scratch, "gone.json");
  writeFileSync(gone, "{}\n");
  const exp = await openExport(gone);
  rmSync(gone);
  await failsWith({ code: "E_NOT_FOUND", file: gone }, exp.inferSchema());
  const broken = { byteLength: 9, slice: () => Promise.reject(new Error("no network")) };
  await failsWith({ code: "E_IO", file: "a" }, (await openExport(new Map([["a", broken]]))).inferSchema());
});

test("free", async () => {
  const exp = await openExport(SHOP);
  exp.free();
  exp[Symbol.dispose]();
  await failsWith({ code: "E_USAGE" }, exp.inferSchema());
  await failsWith({ code: "E_USAGE" }, exp.verify());
  await failsWith({ code: "E_USAGE" }, collect(exp.readBatches()));
  assert.equal(exp.files.length, 4);
});

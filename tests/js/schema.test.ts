/** Learning a schema, once for each export, and what is made of its document. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { openExport } from "dynarrow";
import { SHOP, collect, dataFile, failsWith, itemsOf, makeExport } from "./support.ts";

test("the columns of the sample export: all attributes, where first seen", async () => {
  const schema = await (await openExport(SHOP)).inferSchema();
  const names = new Set(itemsOf(SHOP).flatMap((item) => Object.keys(item)));
  assert.deepEqual(schema.fields.map(({ name }) => name), [...names]);
  const document = schema.toJSON();
  assert.equal(document.items, 3000);
  assert.equal(document.numbers, "auto");
  const field = (name: string) => schema.fields.find((field) => field.name === name);
  assert.equal(field("stock")?.arrow, "int64");
  assert.equal(field("price")?.arrow, "decimal128(38, 2)");
  assert.equal(field("ref")?.dynamodb, "mixed");
  assert.equal(field("lines")?.element?.fields?.[0]?.name, "sku");
  assert.deepEqual(JSON.parse(JSON.stringify(schema)), document);
});

test("options", async () => {
  const items = [{ a: { N: "1" }, b: { S: "x" } }, { a: { N: "1.5" }, b: { BOOL: true } }];
  const exp = await openExport(makeExport([dataFile("a", items)]));
  const types = async (options: Parameters<typeof exp.inferSchema>[0]) => (await exp.inferSchema(options)).fields.map(({ name, arrow }) => `${name} ${arrow.split("(")[0]}`);
  assert.deepEqual(await types({}), ["a decimal128", "b struct"]);
  assert.deepEqual(await types({ numbers: "float64", mixed: "json" }), ["a float64", "b utf8"]);
  assert.deepEqual(await types({ numbers: "string", mixed: "string" }), ["a utf8", "b utf8"]);
  assert.deepEqual(await types({ columns: ["b", "a"] }), ["b struct", "a decimal128"]);
  await failsWith({ code: "E_MIXED", path: "b" }, exp.inferSchema({ mixed: "error" }));
  await failsWith({ code: "E_COLUMN" }, exp.inferSchema({ columns: ["c"] }));
});

test("options that make no sense", async () => {
  const exp = await openExport(SHOP);
  const wrong = [
    1,
    { nubmers: "auto" },
    { numbers: "int" },
    { numbers: 1 },
    { mixed: "" },
    { onError: "ignore" },
    { check: "sha" },
    { batchSize: 0 },
    { batchSize: 1.5 },
    { batchSize: "1" },
    { columns: "a" },
    { columns: [1] },
    { columns: ["PK", "PK"] },
    { numbers: "decimal(39,2)" },
    { numbers: "decimal(2,3)" },
    { maps: "list" },
    { layout: "flat" },
    { names: "lower" },
    { extra: "keep" },
    { sample: 0 },
    { maxFields: -1 },
    { maxColumns: 1.5 },
    { maxPaths: "9" },
    { maxPaths: Number.NaN },
    { overrides: "price" },
    { overrides: ["price"] },
    { overrides: new Map([["price", "json"]]) },
    { overrides: { price: 1 } },
    { overrides: { price: "int" } },
    { overrides: { "price[": "json" } },
    { schema: "schema.json" },
    { schema: 1 },
  ];
  for (const options of wrong as object[]) await failsWith({ code: "E_USAGE" }, exp.inferSchema(options));
  await exp.inferSchema({ numbers: undefined, columns: undefined, signal: undefined });
});

test("what was learnt is kept, for every policy", async () => {
  const exp = await openExport(SHOP);
  const bytes = async (work: (onProgress: (progress: { total: number }) => void) => Promise<unknown>) => {
    let total = 0;
    await work((progress) => (total = progress.total));
    return total;
  };
  assert.equal(await bytes((onProgress) => collect(exp.readBatches({ onProgress }))), 2 * 387_968);
  assert.equal(await bytes((onProgress) => collect(exp.readBatches({ onProgress, numbers: "string" }))), 387_968);
  assert.equal(await bytes((onProgress) => exp.inferSchema({ onProgress })), 0);
  assert.equal(await bytes((onProgress) => exp.inferSchema({ onProgress, columns: ["PK"] })), 387_968);
});

test("an incremental export, another format", async () => {
  const incremental = makeExport([], { exportType: "INCREMENTAL_EXPORT", exportFromTime: "2024-01-01T00:00:00Z" });
  await failsWith({ code: "E_INCREMENTAL" }, (await openExport(incremental)).inferSchema());
  await failsWith({ code: "E_FORMAT" }, (await openExport(makeExport([], { outputFormat: "CSV" }))).inferSchema());
});

test("abort", async () => {
  const exp = await openExport(SHOP, { chunkSize: 1000 });
  const controller = new AbortController();
  const reason = new Error("enough");
  const onProgress = () => controller.abort(reason);
  await assert.rejects(exp.inferSchema({ signal: controller.signal, onProgress }), reason);
  await assert.rejects(exp.verify({ signal: controller.signal }), reason);
  await assert.rejects(exp.inferSchema({ signal: AbortSignal.abort() }), { name: "AbortError" });
  assert.equal((await exp.inferSchema()).fields.length, 37);
});

/** Reading record batches: values against an independent reading of the lines. */

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { tableFromIPC } from "apache-arrow";
import { type ReadOptions, openExport } from "dynarrow";
import { DATA, type Item, SHOP, collect, dataFile, failsWith, filesBelow, itemsOf, lines, makeExport, rowsOf, rowsOfItems } from "./support.ts";

/** Deeper than readers of Arrow go. */
const DEEP = join(DATA, "dynamodb_json/valid/deep.json");
const NONE = { count: 0 };

/** Checks all values of all columns. */
async function checkRows(source: Parameters<typeof openExport>[0], items: readonly Item[], options?: ReadOptions, chunkSize?: number) {
  const batches = await collect((await openExport(source, { chunkSize })).readBatches(options));
  if (items.length === 0) {
    assert.deepEqual(batches, []);
    return;
  }
  const { schema, rows } = rowsOf(batches);
  assert.deepEqual(rows, rowsOfItems(items, schema));
}

test("the sample export, all columns, by path and as a Map", async () => {
  const items = itemsOf(SHOP);
  assert.equal(items.length, 3000);
  await checkRows(SHOP, items);
  await checkRows(filesBelow(SHOP), items, { batchSize: 999 });
  await checkRows(SHOP, items, { numbers: "string", batchSize: 1 });
  await checkRows(SHOP, items, { numbers: "float64" });
  await checkRows(SHOP, items, { columns: ["price", "PK", "lines"] });
});

test("a path and a Map give the same bytes", async () => {
  const one = await collect((await openExport(SHOP)).readBatches({ batchSize: 500 }));
  const two = await collect((await openExport(filesBelow(SHOP))).readBatches({ batchSize: 500 }));
  assert.deepEqual(one.map((ipc) => tableFromIPC(ipc).numRows), [500, 500, 500, 500, 500, 500]);
  assert.ok(Buffer.concat(one).equals(Buffer.concat(two)));
});

for (const format of ["dynamodb_json", "ion"]) {
  const corpus = join(DATA, format);

  test(`the corpus of ${format}: every shape of a file`, async () => {
    const files = readdirSync(join(corpus, "valid"));
    assert.ok(files.length > 0);
    for (const name of files.filter((name) => !name.endsWith(".items"))) {
      const file = join(corpus, "valid", name);
      if (file === DEEP) continue;
      const items = lines(readFileSync(`${file}.items`, "utf8")).map((line) => JSON.parse(line) as Item);
      for (const chunkSize of [1, 3, 1000, undefined]) {
        await checkRows(file, items, {}, chunkSize);
      }
    }
  });

  test(`the corpus of ${format}: every invalid file, with its position`, async () => {
    const expected = JSON.parse(readFileSync(join(corpus, "invalid/expected.json"), "utf8")) as { [name: string]: { code: string; message: string } };
    for (const [name, { message, ...where }] of Object.entries(expected)) {
      const file = join(corpus, "invalid", name);
      for (const chunkSize of [1, 1000]) {
        const exp = await openExport(file, { chunkSize });
        const error = await failsWith({ ...where, file }, collect(exp.readBatches()));
        assert.ok(error.message.startsWith(`${where.code}: ${message} (`), error.message);
      }
    }
  });
}

test("deeper than readers of Arrow go", async () => {
  const items = lines(readFileSync(`${DEEP}.items`, "utf8")).map((line) => JSON.parse(line) as Item);
  for (const chunkSize of [1, 3, 1000, undefined]) {
    const exp = await openExport(DEEP, { chunkSize });
    await failsWith({ code: "E_NESTING", path: "a" }, collect(exp.readBatches()));
    const { rows } = rowsOf(await collect(exp.readBatches({ overrides: { a: "json" } })));
    assert.deepEqual(rows.map((row) => JSON.parse((row as { a: string }).a)), items.map(({ a }) => a));
  }
});

const many = Array.from({ length: 40 }, (_, n): Item => ({
  id: { N: String(n) },
  big: { N: `${n}00000000000000000000000000.5` },
  wide: { N: n % 2 ? `1E${n}` : "0.000000000000000000001" },
  mixed: n % 3 === 0 ? { S: "x" } : n % 3 === 1 ? { N: "9007199254740993" } : { L: [{ M: { a: { BOOL: true } } }, { NULL: true }] },
  nested: { M: { list: { L: [{ L: [{ N: "1" }] }, { L: [] }] }, none: { NULL: true }, bytes: { BS: ["AAEC", "/w=="] } } },
  ...(n > 20 ? { late: { S: "😀\u0000\n" } } : {}),
}));

test("big, decimal, mixed and nested columns; the same bytes for any chunk size", async () => {
  const made = makeExport([dataFile("a", many.slice(0, 25)), dataFile("empty", []), dataFile("b", many.slice(25))]);
  const outputs = await Promise.all(
    [1, 3, 1000, 1 << 20].map(async (chunkSize) => {
      await checkRows(made, many, { batchSize: 7 }, chunkSize);
      return Buffer.concat(await collect((await openExport(made, { chunkSize })).readBatches({ batchSize: 7 })));
    }),
  );
  for (const output of outputs) assert.ok(output.equals(outputs[0] as Buffer));
  const { schema } = rowsOf(await collect((await openExport(made)).readBatches()));
  const types = Object.fromEntries(schema.fields.map(({ name, type }) => [name, String(type)]));
  assert.equal(types.id, "Int64");
  assert.match(String(types.big), /^Decimal/);
  assert.equal(types.wide, "Utf8");
});

test("mixed as text", async () => {
  const exp = await openExport(makeExport([dataFile("a", many.slice(0, 3))]));
  const column = async (mixed: "json" | "string") => rowsOf(await collect(exp.readBatches({ columns: ["mixed"], mixed }))).rows;
  const list = '{"L":[{"M":{"a":{"BOOL":true}}},{"NULL":true}]}';
  assert.deepEqual(await column("json"), [{ mixed: '{"S":"x"}' }, { mixed: '{"N":"9007199254740993"}' }, { mixed: list }]);
  assert.deepEqual(await column("string"), [{ mixed: "x" }, { mixed: "9007199254740993" }, { mixed: list }]);
});

test("numbers as float64: what is rounded is counted", async () => {
  const exp = await openExport(makeExport([dataFile("a", [{ n: { N: "0.5" } }, { n: { N: "9007199254740993" } }])]));
  const reader = exp.readBatches({ numbers: "float64" });
  assert.deepEqual(rowsOf(await collect(reader)).rows, [{ n: 0.5 }, { n: 9007199254740992 }]);
  assert.deepEqual(reader.report?.losses, { rounded: { count: 1, path: "n", value: "9007199254740993" }, overflowed: NONE, extra: NONE });
});

test("a reader can be read again, and left early", async () => {
  const reader = (await openExport(SHOP)).readBatches({ batchSize: 100 });
  assert.equal(reader.report as unknown, null);
  for await (const ipc of reader) {
    assert.equal(tableFromIPC(ipc).numRows, 100);
    break;
  }
  assert.ok((reader.report?.items ?? 0) > 0 && (reader.report?.files ?? 4) < 4);
  assert.equal((await collect(reader)).length, 30);
  assert.deepEqual(reader.report, { files: 4, items: 3000, skipped: 0, errors: [], bytesIn: 387_968, bytesInflated: 1_588_065, losses: { rounded: NONE, overflowed: NONE, extra: NONE } });
});

test("bad records are passed over, and what is left is as if they were not there", async () => {
  const good = many.map((item) => JSON.stringify({ Item: item }));
  const bad = [...good];
  bad.splice(30, 0, '{"Item":{"id":{"N":"x"}}}', "{nonsense");
  bad.splice(3, 0, '{"Item":{"other":{"S":"y"},"id":{"Z":"x"}}}');
  const file = (texts: string[]) => makeExport([{ name: "a.json.gz", bytes: gzipSync(texts.join("\n")), itemCount: texts.length }]);
  const reader = (await openExport(file(bad))).readBatches({ onError: "skip" });
  const clean = await collect((await openExport(file(good))).readBatches());
  assert.ok(Buffer.concat(await collect(reader)).equals(Buffer.concat(clean)));
  assert.deepEqual([reader.report?.items, reader.report?.skipped], [40, 3]);
  assert.deepEqual(reader.report?.errors.map(({ code, line, item }) => [code, line, item]), [
    ["E_DESCRIPTOR", 4, 3],
    ["E_NUMBER", 32, 31],
    ["E_JSON", 33, 32],
  ]);
});

test("broken JSON in line n", async () => {
  const text = `${"{}".replace("}", '"Item":{"a":{"S":"x"}}}\n').repeat(6)}{"Item":{"a":{"S":"x"}}\n`;
  const made = makeExport([{ name: "a.json.gz", bytes: gzipSync(text), itemCount: 7 }]);
  const exp = await openExport(made);
  await failsWith({ code: "E_JSON", line: 7, item: 6, byte: text.length - 1, file: exp.files[0]?.name ?? null }, collect(exp.readBatches()));
});

test("truncated and corrupt gzip", async () => {
  const { bytes, itemCount } = dataFile("a", many);
  for (const end of [bytes.length - 1, bytes.length - 8, 300, 15, 3]) {
    const made = makeExport([{ name: "a.json.gz", bytes: bytes.subarray(0, end), itemCount }]);
    const exp = await openExport(made, { chunkSize: 64 });
    await failsWith({ code: "E_TRUNCATED", file: exp.files[0]?.name ?? null }, collect(exp.readBatches({ onError: "skip" })));
  }
  const corrupt = Uint8Array.from(bytes, (byte, at) => (at === bytes.length - 6 ? byte ^ 1 : byte));
  await failsWith({ code: "E_COMPRESSION" }, collect((await openExport(makeExport([{ name: "a", bytes: corrupt, itemCount }]))).readBatches()));
});

test("a missing file, and one with fewer lines than the manifest says", async () => {
  const made = makeExport([dataFile("a", many), { ...dataFile("b", many), itemCount: 41 }]);
  const exp = await openExport(made);
  await failsWith({ code: "E_ITEM_COUNT", file: exp.files[1]?.name ?? null }, collect(exp.readBatches()));
  const unchecked = exp.readBatches({ check: "none" });
  await collect(unchecked);
  assert.equal(unchecked.report?.items, 80);

  made.delete(exp.files[0]?.key ?? "");
  const missing = await openExport(made);
  assert.equal(missing.files[0]?.key, null);
  await failsWith({ code: "E_FILE_MISSING", file: exp.files[0]?.name ?? null }, collect(missing.readBatches({ check: "none" })));
});

test("check: md5", async () => {
  const made = makeExport([dataFile("a", many)]);
  made.set([...made.keys()].find((key) => key.endsWith("a.json.gz")) ?? "", gzipSync(many.map((Item) => `${JSON.stringify({ Item })}\n`).join(""), { level: 1 }));
  const exp = await openExport(made);
  await collect(exp.readBatches());
  await failsWith({ code: "E_MD5", file: exp.files[0]?.name ?? null }, collect(exp.readBatches({ check: "md5" })));
});

test("a record of 20 MiB", async () => {
  const record = `{"Item":{"a":{"S":"${"x".repeat(20 << 20)}"}}}\n`;
  const text = `{"Item":{"a":{"S":"1"}}}\n${record}{"Item":{"a":{"S":"2"}}}\n`;
  const exp = await openExport(makeExport([{ name: "a.json.gz", bytes: gzipSync(text), itemCount: 3 }]));
  await failsWith({ code: "E_RECORD_SIZE", line: 2, byte: 25, item: 1, file: exp.files[0]?.name ?? null }, collect(exp.readBatches()));
  const skipping = exp.readBatches({ onError: "skip" });
  assert.deepEqual(rowsOf(await collect(skipping)).rows, [{ a: "1" }, { a: "2" }]);
  assert.equal(skipping.report?.skipped, 1);
});

test("a file of hardly anything: 200 MB of blank lines", async () => {
  const blank = gzipSync(Buffer.alloc(1 << 20, "\n"));
  const bytes = Buffer.concat([...Array.from({ length: 200 }, () => blank), gzipSync('{"a":{"N":"x"}}\n')]);
  await failsWith({ code: "E_NUMBER", line: (200 << 20) + 1, byte: (200 << 20) + 11, item: 0 }, collect((await openExport(bytes)).readBatches()));
});

test("a record of 15 MiB", async () => {
  const a = "x".repeat(15 << 20);
  const exp = await openExport(makeExport([dataFile("a", [{ a: { S: a } }, { a: { S: "" } }])]));
  assert.deepEqual(rowsOf(await collect(exp.readBatches())).rows, [{ a }, { a: "" }]);
});

test("other tasks have their turn", async () => {
  // 300 MB, in turns of 10 ms.
  const lines = gzipSync(`{"a":{"S":"${"x".repeat(1000)}"}}\n`.repeat(1000));
  const exp = await openExport(Buffer.concat(Array.from({ length: 300 }, () => lines)));
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  await collect(exp.readBatches());
  clearInterval(timer);
  assert.ok(turns > 2, `${turns} turns`);
});

test("a page that is left: abort while reading", async () => {
  const controller = new AbortController();
  const read = async () => {
    for await (const _ of (await openExport(SHOP)).readBatches({ batchSize: 10, signal: controller.signal })) controller.abort();
  };
  await assert.rejects(read(), { name: "AbortError" });
});

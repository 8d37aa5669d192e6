/** Converting: Parquet and Arrow, read back. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { tableFromIPC } from "apache-arrow";
import { type Export, type OutputStream, type ReadOptions, openExport } from "dynarrow";
import { parquetMetadataAsync, parquetReadObjects } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { DATA, SHOP, bytesOf, collect, dataFile, failsWith, filesBelow, itemsOf, makeExport, rowsOf, rowsOfItems, rowsOfTable } from "./support.ts";

async function parquet(exp: Export, options?: ReadOptions) {
  const bytes = await bytesOf(exp.toParquet(options));
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
}

const ROOT = join(DATA, "../..");

const scratch = mkdtempSync(join(tmpdir(), "dynarrow-"));
after(() => rmSync(scratch, { recursive: true }));

/** The command, where it is built and no older than its sources. The Rust tests build it. */
const CLI = ["release", "debug"]
  .map((profile) => join(ROOT, "target", profile, "dynarrow"))
  .find((path) => existsSync(path) && statSync(path).mtimeMs >= Math.max(newest(join(ROOT, "core/src")), newest(join(ROOT, "cli/src"))));

function newest(folder: string): number {
  const files = readdirSync(folder, { recursive: true }) as string[];
  return Math.max(...files.map((file) => statSync(join(folder, file)).mtimeMs));
}

type Row = { [name: string]: unknown };

async function rows(file: ArrayBuffer): Promise<Row[]> {
  return (await parquetReadObjects({ file, compressors, utf8: false })) as Row[];
}

test("the sample export as Parquet", async () => {
  const file = await parquet(await openExport(SHOP));
  const found = await rows(file);
  const items = itemsOf(SHOP);
  assert.equal(found.length, items.length);
  const metadata = await parquetMetadataAsync(file);
  assert.equal(metadata.num_rows, 3000n);
  assert.equal(metadata.row_groups.length, 1);
  assert.ok(metadata.row_groups[0]?.columns.every((column) => column.meta_data?.codec === "SNAPPY"));
  // hyparquet gives decimals as doubles, a little off.
  const cents = (value: unknown) => (typeof value === "number" ? Number(value.toFixed(2)) : (value ?? null));
  const scalar = (name: string, descriptor: string, of: (value: never) => unknown) => {
    assert.deepEqual(
      found.map((row) => cents(row[name])),
      items.map((item) => (item[name]?.[descriptor] === undefined ? null : of(item[name][descriptor] as never))),
      name,
    );
  };
  scalar("PK", "S", String);
  scalar("note", "S", String);
  scalar("stock", "N", (text: string) => BigInt(text));
  scalar("price", "N", Number);
  scalar("gift", "BOOL", Boolean);
  scalar("receipt", "B", (text: string) => new Uint8Array(Buffer.from(text, "base64")));
  scalar("segments", "SS", (set: string[]) => set);
  scalar("sizes", "NS", (set: string[]) => set.map(BigInt));
  type Line = { sku: string; qty: bigint; price: number };
  assert.deepEqual(
    found.flatMap((row) => ((row.lines ?? []) as Line[]).map(({ sku, qty, price }) => [sku, qty, cents(price)])),
    items.flatMap(({ lines }) => ((lines?.L ?? []) as { M: { [name in keyof Line]: { S: string; N: string } } }[]).map(({ M: { sku, qty, price } }) => [sku.S, BigInt(qty.N), Number(price.N)])),
  );
  const refs = items.map(({ ref }) => (ref === undefined || ref.NULL ? null : "S" in ref ? ref.S : BigInt(ref.N as string)));
  assert.deepEqual(
    found.map(({ ref }) => Object.values((ref ?? {}) as Row).find((value) => value !== null && value !== undefined) ?? null),
    refs,
  );
});

test("the same bytes from a path and a Map, in any chunks", async () => {
  const expected = Buffer.from(await parquet(await openExport(SHOP)));
  for (const chunkSize of [999, 50_000]) {
    assert.ok(expected.equals(Buffer.from(await parquet(await openExport(filesBelow(SHOP), { chunkSize })))));
  }
});

test("the same bytes as the command's", { skip: CLI === undefined && "target/ has no command of these sources: cargo build --package dynarrow-cli" }, async () => {
  const run = (to: string, ...options: string[]) => execFileSync(CLI ?? "", ["convert", SHOP, "-", "--to", to, "--threads", "2", "--quiet", ...options], { maxBuffer: 1 << 30, stdio: ["ignore", "pipe", "pipe"] });
  const exp = await openExport(SHOP);
  const schema = await exp.inferSchema({ columns: ["PK", "lines", "price"] });
  const file = join(scratch, "schema.json");
  writeFileSync(file, JSON.stringify(schema));
  const cases: [string[], ReadOptions?][] = [
    [[]],
    [["--columns", "ref,price", "--numbers", "string", "--mixed", "json"], { columns: ["ref", "price"], numbers: "string", mixed: "json" }],
    [["--numbers", "decimal(5,1)", "--maps", "json"], { numbers: "decimal(5,1)", maps: "json" }],
    [["--layout", "typed", "--max-columns", "9"], { layout: "typed", maxColumns: 9 }],
    [["--names", "athena"], { names: "athena" }],
    [["--override", "price=int64", "--override", "lines[].qty=string", "--max-fields", "9"], { overrides: { price: "int64", "lines[].qty": "string" }, maxFields: 9 }],
    [["--sample", "5", "--extra", "drop"], { sample: 5, extra: "drop" }],
    [["--sample", "1500"], { sample: 1500 }],
    [["--schema", file], { schema }],
  ];
  for (const [args, options] of cases) {
    const bytes = await bytesOf(exp.toParquet(options));
    assert.ok(run("parquet", ...args).equals(bytes), `convert ${args.join(" ")}`);
    // A chunk of another size is another block: the sample must not see it.
    assert.ok(Buffer.from(await bytesOf((await openExport(SHOP, { chunkSize: 777 })).toParquet(options))).equals(bytes), args.join(" "));
  }
  const texts: [string[], OutputStream][] = [
    [["dynamodb_json"], exp.toDynamodbJson()],
    [["ion", "--columns", "ref,price"], exp.toIon({ columns: ["ref", "price"] })],
    [["ndjson"], exp.toNdjson()],
    [["ndjson", "--numbers", "float64"], exp.toNdjson({ numbers: "float64" })],
  ];
  for (const [[to = "", ...args], stream] of texts) assert.ok(run(to, ...args).equals(await bytesOf(stream)), `${to} ${args.join(" ")}`);
});

test("the report of a stream", async () => {
  const stream = (await openExport(SHOP)).toParquet({ columns: ["PK"] });
  assert.equal(stream.report as unknown, null);
  await bytesOf(stream);
  assert.equal(stream.report?.items, 3000);
});

/** Lines for which a guess is worth its while: three files of 8 MiB each, and something in between. */
function enoughToGuess(more: string): Map<string, Uint8Array> {
  const line = `{"Item":{"pk":{"S":"${"x".repeat(1000)}"},"n":{"N":"1"},"l":{"L":[{"N":"1.5"}]}}}\n`;
  const lines = line.repeat(Math.ceil((8 << 20) / line.length));
  return new Map([lines, lines + more + lines, lines].map((text, n) => [`${n}.json`, Buffer.from(text)]));
}

test("a guess changes nothing: the bytes at once are those of the stream", async () => {
  const cases: [more: string, passes: number, ReadOptions?][] = [
    ["", 1],
    ['{"Item":{"pk":{"S":"y"}}}\n', 1],
    ["no record\n", 1, { onError: "skip", columns: ["n", "l"], numbers: "float64" }],
    ['{"Item":{"pk":{"S":"y"},"n":{"N":"2.5"}}}\n', 3],
    ['{"Item":{"late":{"BOOL":true}}}\n', 3],
    ["", 2, { sample: 10 }],
  ];
  for (const [more, passes, options] of cases) {
    const source = enoughToGuess(more);
    const size = [...source.values()].reduce((sum, bytes) => sum + bytes.length, 0);
    for (const format of ["toArrow", "toParquet"] as const) {
      const [whole, parts] = [await openExport(source), await openExport(source)];
      let told = { done: 0, total: 0 };
      const stream = whole[format]({ ...options, onProgress: (progress) => (told = progress) });
      const bytes = await stream.bytes();
      assert.equal(told.total, passes * size, more);
      const expected = parts[format](options);
      assert.ok(Buffer.from(bytes).equals(await bytesOf(expected)), `${format} ${more}`);
      assert.deepEqual(stream.report, expected.report);
      assert.deepEqual(await collect(stream), [], "the stream is cancelled");
    }
  }
});

test("the bytes at once: of text, of what is bad, of a stream that is read", async () => {
  const exp = await openExport(SHOP);
  assert.ok(Buffer.from(await exp.toNdjson().bytes()).equals(await bytesOf(exp.toNdjson())));
  const bad = (await openExport(enoughToGuess('{"Item":{"pk":{"N":"one"}}}\n'))).toArrow();
  await failsWith({ code: "E_NUMBER", file: "1.json", path: "pk" }, bad.bytes());
  const reading = exp.toArrow();
  reading.getReader();
  await assert.rejects(reading.bytes(), TypeError);
});

test("row groups are handed out while the rest is read", async () => {
  // Source bytes close a row group: 64 MiB.
  const text = (name: string) => Array.from({ length: 1000 }, (_, n) => `{"a":{"S":"${name}${n}${"x".repeat(1 << 16)}"}}\n`).join("");
  const source = new Map(["a", "b", "c"].map((name) => [name, Buffer.from(text(name))] as const));
  const exp = await openExport(source);
  const parts = await collect(exp.toParquet());
  assert.ok(parts.length >= 3, `${parts.length} parts`);
  const file = new Uint8Array(Buffer.concat(parts)).buffer;
  const metadata = await parquetMetadataAsync(file);
  assert.equal(metadata.row_groups.length, 3);
  assert.equal((await rows(file)).length, 3000);
});

test("one Arrow stream", async () => {
  const exp = await openExport(SHOP);
  const items = itemsOf(SHOP);
  const ipc = await bytesOf(exp.toArrow({ batchSize: 1000 }));
  const table = tableFromIPC(ipc);
  assert.equal(table.batches.length, 3);
  assert.deepEqual(rowsOfTable(table), rowsOfItems(items, table.schema));
  const { schema } = rowsOf(await collect(exp.readBatches()));
  assert.equal(String(table.schema), String(schema));
});

test("nothing to convert", async () => {
  const empty = await openExport(makeExport([dataFile("a", [])]));
  assert.equal(tableFromIPC(await bytesOf(empty.toArrow())).numRows, 0);
  const metadata = await parquetMetadataAsync(await parquet(empty));
  assert.equal(metadata.num_rows, 0n);
});

test("odd columns", async () => {
  const items = [{ m: { M: {} }, l: { L: [] }, n: { NULL: true }, deep: { L: [{ M: {} }, { L: [] }] } }];
  const exp = await openExport(makeExport([dataFile("a", items)]));
  const [row] = await rows(await parquet(exp));
  assert.deepEqual(row?.l, []);
  assert.equal(row?.n ?? null, null);
});

test("a failing stream, and one that is left", async () => {
  const bad = await openExport(makeExport([dataFile("a", [{ a: { S: "x" } }]), dataFile("b", [{ a: { N: "x" } }])]));
  await failsWith({ code: "E_NUMBER", line: 1, item: 0, path: "a" }, bytesOf(bad.toParquet()));
  const stream = (await openExport(SHOP)).toArrow({ batchSize: 10 });
  const reader = stream.getReader();
  await reader.read();
  await reader.cancel();
  assert.ok((stream.report?.items ?? 0) > 0);
  const unread = (await openExport(SHOP)).toParquet();
  await unread.cancel();
  assert.equal(unread.report, null);
});

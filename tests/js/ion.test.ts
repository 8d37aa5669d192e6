/** Amazon Ion: read as DynamoDB JSON is, and each made of the other. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { type Export, type NdjsonOptions, type ReadOptions, type SourceFormat, type TextOptions, openExport } from "dynarrow";
import { type Item, SHOP, bytesOf, collect, dataFile, failsWith, ionFile, ionLine, itemsOf, lines, makeExport, rowsOf, rowsOfItems } from "./support.ts";

const ION = { outputFormat: "ION" };
const NONE = { count: 0 };

/** Every type; names and characters that Ion quotes; numbers in every notation. */
const ODD: readonly Item[] = [
  { pk: { S: "a" }, "weird name": { S: "q\" b\\ n\n r\r t\t \0 \x01 \x1f \x7f \x85 é 🦑 / ' \u2028" }, "it's": { NULL: true }, null: { BOOL: true }, $dollar: { BOOL: false }, $10: { B: "" }, "": { B: "aGVsbG8=" } },
  { pk: { S: "" }, é: { L: [] }, true: { M: {} }, list: { L: [{ L: [{ N: "1" }] }, { M: { "a.b": { S: "$ion_1_0 {Item:{}}\n $ion_1_0 {}" } } }, { NULL: true }] } },
  { ss: { SS: ["b", "a", ""] }, ns: { NS: ["1", "600", "-0.5"] }, bs: { BS: ["AAEC", "/w==", ""] } },
  ...["0", "1", "600", "-17.5", "0.000001", "0.0000001", "1E-130", "9.99E125", "12345678901234567890123456789012345678", "1702062202420"].map((number) => ({ n: { N: number }, mixed: number.length % 2 ? { N: number } : { S: number } })),
];

const SPLITS = [3, 9];

/** The same items as an export in JSON and one in Ion, in files that begin and end with the same items. */
function bothOf(items: readonly Item[], splits: readonly number[]): [json: Map<string, Uint8Array>, ion: Map<string, Uint8Array>] {
  const parts = [...splits, items.length].map((end, at) => items.slice(splits[at - 1] ?? 0, end));
  const files = (make: typeof dataFile) => [...parts.map((part, at) => make(`file${at}`, part)), make("nothing", [])];
  return [makeExport(files(dataFile)), makeExport(files(ionFile), ION)];
}

const [ODD_JSON, ODD_ION] = bothOf(ODD, SPLITS);

async function text(stream: ReadableStream<Uint8Array>): Promise<string> {
  return Buffer.from(await bytesOf(stream)).toString();
}

/** Equal; a failure shows one line. */
function sameLines(found: string, expected: string): void {
  const expectedLines = lines(expected);
  for (const [at, line] of lines(found).entries()) assert.equal(line, expectedLines[at]);
  assert.ok(found === expected);
}

function named(name: string, content: string | Uint8Array): ReadonlyMap<string, Uint8Array> {
  return new Map([[name, Buffer.from(content)]]);
}

test("an export in Ion has the schema and the tables of the one in JSON, in any chunks", async () => {
  const asJson = await openExport(ODD_JSON);
  const cases: ReadOptions[] = [{}, { numbers: "string", mixed: "json", batchSize: 2 }, { layout: "typed", columns: ["pk", "n", "list"] }, { sample: 5 }];
  for (const chunkSize of [1, 7, 97, undefined]) {
    const asIon = await openExport(ODD_ION, { chunkSize });
    assert.equal(asIon.summary?.outputFormat, "ION");
    for (const options of cases) {
      assert.deepEqual((await asIon.inferSchema(options)).toJSON(), (await asJson.inferSchema(options)).toJSON());
      for (const make of [(exp: Export) => exp.toArrow(options), (exp: Export) => exp.toParquet(options)]) {
        assert.ok(Buffer.from(await bytesOf(make(asIon))).equals(await bytesOf(make(asJson))), `${chunkSize}: ${JSON.stringify(options)}`);
      }
    }
  }
  const { schema, rows } = rowsOf(await collect((await openExport(ODD_ION)).readBatches({ numbers: "string" })));
  assert.deepEqual(rows.map((row) => (row as { pk?: string }).pk), ODD.map(({ pk }) => pk?.S));
  assert.ok(schema.fields.some(({ name }) => name === "$10"));
});

test("the sample export in Ion", async () => {
  const items = itemsOf(SHOP);
  const [json, ion] = bothOf(items, [1000, 1001, 2500]);
  const asIon = await openExport(ion, { chunkSize: 4999 });
  assert.deepEqual(await asIon.verify(), { ok: true, findings: [], files: 5, items: 3000, bytes: asIon.files.reduce((sum, { size }) => sum + (size ?? 0), 0) });
  const { schema, rows } = rowsOf(await collect(asIon.readBatches()));
  assert.deepEqual(rows, rowsOfItems(items, schema));
  assert.ok(Buffer.from(await bytesOf(asIon.toParquet())).equals(await bytesOf((await openExport(json)).toParquet())));
});

test("JSON to Ion and back: the lines of exports, byte for byte", async () => {
  const items = itemsOf(SHOP);
  const jsonText = items.map((item) => `${JSON.stringify({ Item: item })}\n`).join("");
  const ionText = items.map(ionLine).join("");
  for (const chunkSize of [777, 1 << 20]) {
    for (const source of [SHOP, bothOf(items, [20])[1]]) {
      const exp = await openExport(source, { chunkSize });
      sameLines(await text(exp.toDynamodbJson()), jsonText);
      sameLines(await text(exp.toIon()), ionText);
    }
  }
  for (const name of ["a", "a.ion"]) sameLines(await text((await openExport(named(name, ionText))).toDynamodbJson()), jsonText);
});

test("every type to Ion, JSON and plain JSON, and back", async () => {
  const expected = await text((await openExport(ODD_JSON)).toDynamodbJson());
  const plain = await text((await openExport(ODD_JSON)).toNdjson());
  for (const chunkSize of [1, 7, undefined]) {
    for (const source of [ODD_JSON, ODD_ION]) {
      const exp = await openExport(source, { chunkSize });
      assert.equal(await text(exp.toIon()), ODD.map(ionLine).join(""));
      assert.equal(await text(exp.toDynamodbJson()), expected);
      assert.equal(await text(exp.toNdjson()), plain);
    }
    const written = await openExport(named("written", ODD.map(ionLine).join("")), { chunkSize });
    assert.equal(await text(written.toDynamodbJson()), expected);
  }
  const { schema, rows } = rowsOf(await collect((await openExport(named("x.json", expected))).readBatches({ numbers: "string" })));
  assert.deepEqual(rows, rowsOfItems(ODD, schema));
  assert.equal(lines(plain)[2], '{"ss":["b","a",""],"ns":[1,600,-0.5],"bs":["AAEC","/w==",""]}');
});

test("columns and numbers of text; one pass, and its report", async () => {
  const [, ion] = bothOf([{ a: { N: "9007199254740993" }, b: { S: "x" }, c: { NS: ["0.5"] } }, { b: { S: "y" } }], []);
  const exp = await openExport(ion);
  assert.equal(await text(exp.toIon({ columns: ["c", "b"] })), '$ion_1_0 {Item:{b:"x",c:$dynamodb_NS::[0.5]}}\n$ion_1_0 {Item:{b:"y"}}\n');
  assert.equal(await text(exp.toDynamodbJson({ columns: ["a"] })), '{"Item":{"a":{"N":"9007199254740993"}}}\n{"Item":{}}\n');
  assert.equal(await text(exp.toNdjson({ numbers: "string" })), '{"a":"9007199254740993","b":"x","c":["0.5"]}\n{"b":"y"}\n');
  const done: number[] = [];
  const size = exp.files.reduce((sum, file) => sum + (file.size ?? 0), 0);
  const stream = exp.toNdjson({
    numbers: "float64",
    onProgress: (progress) => {
      assert.equal(progress.total, size);
      done.push(progress.done);
    },
  });
  assert.equal(stream.report as unknown, null);
  assert.equal(await text(stream), '{"a":9007199254740992.0,"b":"x","c":[0.5]}\n{"b":"y"}\n');
  assert.deepEqual(stream.report?.losses, { rounded: { count: 1 }, overflowed: NONE, extra: NONE });
  assert.deepEqual([stream.report.files, stream.report.items, stream.report.bytesIn, done.at(-1)], [2, 2, size, size]);
});

test("text takes no options of columns", async () => {
  const exp = await openExport(ODD_ION);
  const schema = await exp.inferSchema();
  const refused: ReadOptions[] = [{ mixed: "json" }, { maps: "json" }, { layout: "typed" }, { names: "athena" }, { overrides: { n: "string" } }, { maxFields: 9 }, { maxColumns: 9 }, { sample: 9 }, { extra: "drop" }, { maxPaths: 9 }, { batchSize: 9 }, { schema }, { numbers: "decimal(5,1)" }];
  for (const options of refused) {
    const wrong = options as TextOptions;
    for (const stream of [exp.toDynamodbJson(wrong), exp.toIon(wrong), exp.toNdjson(wrong)]) {
      const { message } = await failsWith({ code: "E_USAGE" }, bytesOf(stream));
      assert.ok(message.includes(`${Object.keys(options)[0]}`), message);
    }
  }
  const numbers = { numbers: "string" } as TextOptions;
  await failsWith({ code: "E_USAGE" }, bytesOf(exp.toIon(numbers)));
  await failsWith({ code: "E_USAGE" }, bytesOf(exp.toDynamodbJson(numbers)));
  await failsWith({ code: "E_USAGE" }, bytesOf(exp.toNdjson({ colunms: ["a"] } as NdjsonOptions)));
  await failsWith({ code: "E_USAGE" }, bytesOf(exp.toIon({ columns: ["n", "n"] })));
  const absent = { schema: undefined, maps: undefined } as TextOptions;
  assert.equal(await text(exp.toIon(absent)), ODD.map(ionLine).join(""));
});

test("nothing to write, a stream that is left, one that is aborted", async () => {
  const [json, ion] = bothOf([], []);
  for (const source of [json, ion]) {
    for (const stream of [(await openExport(source)).toIon(), (await openExport(source)).toNdjson()]) {
      assert.deepEqual(await collect(stream), []);
      assert.equal(stream.report?.items, 0);
    }
  }
  const stream = (await openExport(SHOP, { chunkSize: 10_000 })).toIon();
  const reader = stream.getReader();
  await reader.read();
  await reader.cancel();
  const items = stream.report?.items ?? 0;
  assert.ok(items > 0 && items < 3000, `${items} items`);
  const controller = new AbortController();
  const read = async () => {
    for await (const _ of (await openExport(SHOP, { chunkSize: 10_000 })).toDynamodbJson({ signal: controller.signal })) controller.abort();
  };
  await assert.rejects(read(), { name: "AbortError" });
});

/** Ion files by hand; each first line is good. */
const FIRST = '$ion_1_0 {Item:{a:"é"}}\n';
const BYTE = Buffer.byteLength(FIRST);

test("bad Ion, with its position", async () => {
  const cases: [line: string, at: string, where: { code: string; path?: string | null }][] = [
    [" $ion_1_0 {Item:{a:{b:[1.,}}}}\n", "}}}}", { code: "E_ION", path: "a.b[]" }],
    [' $ion_1_0 {Item:{a:"x}}\n', "", { code: "E_ION" }],
    [" $ion_1_0 {Item:{m:{t:2024-01-01T}}}\n", "2024", { code: "E_ION_TYPE", path: "m.t" }],
    [" $ion_1_0 {Item:{ns:$dynamodb_NS::[1.,\"x\"]}}\n", "", { code: "E_SET", path: "ns" }],
    [" $ion_1_0 {Item:{n:1d200}}\n", "1d200", { code: "E_NUMBER", path: "n" }],
    [" $ion_1_0 {Item:{b:{{a}}}}\n", "a}}", { code: "E_BASE64", path: "b" }],
  ];
  for (const [line, at, where] of cases) {
    const bad = { name: "bad.ion.gz", bytes: gzipSync(`${FIRST}${line} ${FIRST}`), itemCount: 3 };
    const made = makeExport([ionFile("good", ODD), bad], ION);
    for (const chunkSize of [1, 7, undefined]) {
      const exp = await openExport(made, { chunkSize });
      const position = { ...where, file: exp.files[1]?.name ?? null, line: 2, item: 1, ...(at === "" ? {} : { byte: BYTE + line.indexOf(at) }) };
      for (const work of [() => collect(exp.readBatches()), () => bytesOf(exp.toDynamodbJson()), () => bytesOf(exp.toIon())]) {
        await failsWith(position, work());
      }
    }
  }
});

test("bad Ion is passed over and counted, and found by a check", async () => {
  const bad = [" $ion_1_0 {Item:{a:{b:[1.,}}}}\n", " $ion_1_0 {Item:{a:2024-01-01T}}\n", ' $ion_1_0 {Item:{a:"x}}\n', " $ion_1_0 {Nothing:{}}\n"];
  const source = FIRST + bad.map((line) => `${line} ${FIRST}`).join("");
  const made = makeExport([{ name: "bad.ion.gz", bytes: gzipSync(source), itemCount: 9 }], ION);
  for (const chunkSize of [1, 7, undefined]) {
    const exp = await openExport(made, { chunkSize });
    const stream = exp.toIon({ onError: "skip" });
    assert.equal(await text(stream), FIRST.repeat(5));
    assert.deepEqual([stream.report?.items, stream.report?.skipped], [5, 4]);
    const expected = [["E_ION", 2, 1], ["E_ION_TYPE", 4, 3], ["E_ION", 6, 5], ["E_RECORD", 8, 7]];
    assert.deepEqual(stream.report?.errors.map(({ code, line, item }) => [code, line, item]), expected);
    const reader = exp.readBatches({ onError: "skip" });
    assert.deepEqual(rowsOf(await collect(reader)).rows, Array.from({ length: 5 }, () => ({ a: "é" })));
    assert.equal(reader.report?.skipped, 4);
    const report = await exp.verify();
    assert.equal(report.items, 9);
    assert.deepEqual(report.findings.map(({ severity, code, line, item }) => [severity, code, line, item]), expected.map((found) => ["error", ...found]));
  }
});

test("counts, checksums and truncation of an export in Ion", async () => {
  const whole = ionFile("whole", ODD);
  const made = makeExport([whole, { ...ionFile("short", ODD), itemCount: 99 }, { ...whole, name: "cut.ion.gz", bytes: whole.bytes.subarray(0, 200) }], ION);
  const exp = await openExport(made, { chunkSize: 64 });
  const { findings } = await exp.verify();
  assert.deepEqual(findings.map(({ code, file }) => [code, file?.split("/").at(-1)]), [["E_ITEM_COUNT", "short.ion.gz"], ["E_TRUNCATED", "cut.ion.gz"]]);
  await failsWith({ code: "E_ITEM_COUNT", file: exp.files[1]?.name ?? null }, bytesOf(exp.toDynamodbJson()));
  await failsWith({ code: "E_TRUNCATED", file: exp.files[2]?.name ?? null }, bytesOf(exp.toDynamodbJson({ check: "none" })));
});

test("an incremental export in Ion", async () => {
  const change = ' $ion_1_0 {Metadata:{WriteTimestampMicros:1680109764000000.},Keys:{id:"x"},NewImage:{id:"x",n:1.}}\n';
  const summary = { ...ION, version: "2023-08-01", exportType: "INCREMENTAL_EXPORT", exportFromTime: "2024-01-01T00:00:00Z", exportToTime: "2024-01-02T00:00:00Z", outputView: "NEW_IMAGE" };
  const made = makeExport([{ name: "a.ion.gz", bytes: gzipSync(change.trimStart() + change), itemCount: 2 }], summary);
  const exp = await openExport(made);
  for (const work of [() => bytesOf(exp.toIon()), () => bytesOf(exp.toNdjson()), () => bytesOf(exp.toParquet()), () => collect(exp.readBatches()), () => exp.inferSchema()]) {
    await failsWith({ code: "E_INCREMENTAL" }, work());
  }
  const report = await exp.verify();
  assert.deepEqual([report.ok, report.items, report.findings], [true, 2, []]);
});

test("Ion that no exporter writes: lists, comments, symbols, binary", async () => {
  const symbols = [0xec, 0x81, 0x83, 0xd9, 0x87, 0xb7, 0x84, 0x49, 0x74, 0x65, 0x6d, 0x81, 0x61];
  const item = [0xd5, 0x8a, 0xd3, 0x8b, 0x81, 0x78];
  const sources: (string | Uint8Array)[] = [
    '$ion_1_0 [ {Item:{a:"x"}}, {Item:{a:"x"},}, ]',
    "$ion_1_0\n{ // an item\n  'Item': { a: '''x''' }\n}\n\n/* {} */{a:x}",
    '$ion_1_0 $ion_symbol_table::{symbols:["a","x"]} {Item:{$10:"x"}} {$10:$11}',
    Uint8Array.from([0xe0, 0x01, 0x00, 0xea, ...symbols, ...item, ...item]),
  ];
  for (const source of sources) {
    for (const chunkSize of [1, 2, 7, undefined]) {
      for (const bytes of [Buffer.from(source), gzipSync(source)]) {
        const exp = await openExport(bytes, { chunkSize });
        assert.equal(await text(exp.toIon()), '$ion_1_0 {Item:{a:"x"}}\n'.repeat(2), String(source));
        assert.deepEqual(rowsOf(await collect(exp.readBatches())).rows, [{ a: "x" }, { a: "x" }]);
      }
    }
  }
});

test("a format that neither the bytes nor a name say", async () => {
  // All of JSON is Ion, and what could be both is JSON.
  const both = '{"Item":{"a":"x"}}\n{"Item":{"a":"y"}}\n';
  const read = async (format?: SourceFormat) => text((await openExport(named("both", both), { format, chunkSize: 5 })).toDynamodbJson());
  const expected = '{"Item":{"a":{"S":"x"}}}\n{"Item":{"a":{"S":"y"}}}\n';
  await failsWith({ code: "E_DESCRIPTOR" }, read());
  await failsWith({ code: "E_DESCRIPTOR" }, read("dynamodb_json"));
  assert.equal(await read("ion"), expected);
  assert.equal(await read("ndjson"), '{"Item":{"Item":{"M":{"a":{"S":"x"}}}}}\n{"Item":{"Item":{"M":{"a":{"S":"y"}}}}}\n');
  assert.equal(await text((await openExport(named("both.ion", both))).toDynamodbJson()), expected);
  assert.equal(await text((await openExport(Buffer.from(both), { format: "ion" })).toDynamodbJson()), expected);
  await failsWith({ code: "E_JSON", line: 1 }, bytesOf((await openExport(ODD_ION, { format: "dynamodb_json" })).toIon()));
  for (const format of ["xml", "parquet", "", 1, null]) {
    await failsWith({ code: "E_USAGE" }, openExport(ODD_ION, { format: format as SourceFormat }));
  }
});

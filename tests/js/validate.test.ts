/** The dry run of imports; what it says of the data is tested in Rust. */

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import {
  type ImportFinding,
  type ImportLogEntry,
  type ImportReport,
  type ImportTableDocument,
  type ValidateOptions,
  validateImport,
} from "dynarrow";
import { DATA, failsWith, lines } from "./support.ts";

interface Fact {
  readonly id: string;
  readonly kind: string;
  readonly input: {
    readonly spec: ImportTableDocument;
    readonly objects: readonly { key: string; text?: string; base64?: string; parts?: string[]; compress?: "gzip" | "zstd" }[];
  };
  readonly expect: { readonly [member: string]: unknown };
}

/** Puts the texts that are given by what they repeat. */
function repeated(_: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || !("repeat" in value && "times" in value)) return value;
  return String(value.repeat).repeat(Number(value.times));
}

const FACTS = lines(readFileSync(join(DATA, "import/facts.jsonl"), "utf8"))
  .map((line) => JSON.parse(line, repeated) as Fact)
  .filter(({ kind }) => kind === "import");

/** A frame of zstd that holds the bytes as they are: Node 20 has no zstd. */
function zstd(bytes: Buffer): Buffer {
  assert.ok(bytes.length < 1 << 17, "a block");
  const size = Buffer.alloc(4);
  size.writeUInt32LE(bytes.length);
  const block = Buffer.alloc(3);
  block.writeUIntLE((bytes.length << 3) | 1, 0, 3);
  // The magic number; a single segment with a content size of four bytes; its size; the last block, raw.
  return Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0xa0]), size, block, bytes]);
}

function objects(fact: Fact): Map<string, Uint8Array> {
  const bytes = ({ text, base64, parts, compress }: Fact["input"]["objects"][number]) => {
    const plain = base64 === undefined ? Buffer.from(parts?.join("") ?? text ?? "") : Buffer.from(base64, "base64");
    if (compress === undefined) return plain;
    return compress === "gzip" ? gzipSync(plain) : zstd(plain);
  };
  return new Map(fact.input.objects.map((object) => [object.key, bytes(object)]));
}

test("there are facts", () => assert.ok(FACTS.length >= 111));

for (const fact of FACTS) {
  test(`fact ${fact.id}`, async () => {
    const entries: ImportLogEntry[] = [];
    const options = { chunkSize: 1000, errorLog: (entry: ImportLogEntry) => void entries.push(entry) };
    const report = await validateImport(objects(fact), fact.input.spec, options);
    const description: { readonly [member: string]: unknown } = { ...report.description };
    assert.equal(report.description.ProcessedItemCount, report.description.ImportedItemCount + report.errors);
    assert.equal(report.unverified, 0);
    assert.equal(report.ok, description["ImportStatus"] === "COMPLETED");
    assert.notDeepEqual(fact.expect, {});
    for (const [name, expected] of Object.entries(fact.expect)) {
      if (name !== "errors") {
        assert.deepEqual(description[name] ?? null, expected, name);
        continue;
      }
      const bucket = fact.input.spec.S3BucketSource.S3Bucket;
      const wanted = expected as { key: string; itemIndex: number; message?: string }[];
      const reached = entries.filter((entry) => entry.dynarrow.reached);
      assert.deepEqual(
        reached.map((entry) => entry.itemS3Pointer),
        wanted.map(({ key, itemIndex }) => ({ bucket, key, itemIndex })),
      );
      for (const [at, { message }] of wanted.entries()) {
        if (message !== undefined) assert.deepEqual(reached[at]?.errorMessages, [message]);
      }
    }
  });
}

const TABLE: ImportTableDocument = {
  S3BucketSource: { S3Bucket: "bucket", S3KeyPrefix: "data/" },
  InputFormat: "DYNAMODB_JSON",
  InputCompressionType: "NONE",
  TableCreationParameters: {
    TableName: "orders",
    AttributeDefinitions: [{ AttributeName: "pk", AttributeType: "S" }],
    KeySchema: [{ AttributeName: "pk", KeyType: "HASH" }],
    BillingMode: "PAY_PER_REQUEST",
  },
};
const MISSING = "One or more parameter values were invalid: Missing the key pk in the item";

const good = (pk: string) => `{"Item":{"pk":{"S":"${pk}"}}}\n`;

/** The findings but for advice: items as small as these make an import slow. */
function found(report: ImportReport): ImportFinding[] {
  return report.findings.filter(({ level }) => level !== "advice");
}

test("a good import", async () => {
  const files = new Map([
    ["data/a.json", Buffer.from(good("a") + good("b"))],
    ["data/b.json", Buffer.from(good("a"))],
    ["other/c.json", Buffer.from("not looked at")],
  ]);
  const report = await validateImport(files, TABLE, { pricePerGb: 2 ** 30 });
  const size = 3 * good("a").length;
  assert.deepEqual(report, {
    ok: true,
    description: {
      ImportStatus: "COMPLETED",
      S3BucketSource: TABLE.S3BucketSource,
      InputFormat: "DYNAMODB_JSON",
      InputCompressionType: "NONE",
      TableCreationParameters: TABLE.TableCreationParameters,
      ErrorCount: 0,
      ProcessedSizeBytes: size,
      ProcessedItemCount: 3,
      ImportedItemCount: 3,
    },
    input: { format: "DYNAMODB_JSON", compression: "NONE", delimiter: null, told: false },
    objects: 2,
    stopped: 0,
    errors: 0,
    unverified: 0,
    beyond: 0,
    items: 3,
    bytes: size,
    itemBytes: 9,
    price: size,
    findings: report.findings,
    omitted: 0,
    duplicates: {
      keys: 1,
      items: 1,
      examples: [{ key: { pk: "a" }, items: 2, first: { key: "data/a.json", item: 0 }, second: { key: "data/b.json", item: 0 } }],
    },
    located: [],
  });
});

test("findings with places", async () => {
  const text = `${good("a")}{"Item":{"sk":{"S":"b"}}}\nno JSON\n{"Item":{"n":{"N":"1"}}}\n`;
  const files = new Map([["data/a.json", new Blob([text])]]);
  const report = await validateImport(files, TABLE, { chunkSize: 7 });
  assert.deepEqual(report.findings[0], {
    level: "error",
    code: "E_IMPORT",
    key: "data/a.json",
    item: 1,
    line: 2,
    byte: good("a").length,
    path: null,
    messages: [MISSING],
    reached: true,
    unknown: null,
  });
  assert.deepEqual(
    found(report).map(({ code, item, line, reached }) => [code, item, line, reached]),
    [
      ["E_IMPORT", 1, 2, true],
      ["E_JSON", 2, 3, true],
      ["E_IMPORT", 3, 4, false],
    ],
  );
  assert.deepEqual([report.ok, report.errors, report.beyond, report.stopped, report.items], [false, 2, 1, 1, 3]);
  const entries: ImportLogEntry[] = [];
  const few = await validateImport(files, TABLE, { maxFindings: 1, errorLog: (entry) => void entries.push(entry) });
  assert.deepEqual([found(few).length, few.omitted, entries.length], [1, 2, 3]);
  assert.deepEqual(entries[0]?.itemS3Pointer, { bucket: "bucket", key: "data/a.json", itemIndex: 1 });
  assert.deepEqual(entries[0]?.errorMessages, [MISSING]);
  // Our own log is located as AWS's is.
  const log = entries.map((entry) => JSON.stringify(entry)).join("\n");
  const { located } = await validateImport(files, TABLE, { log });
  assert.deepEqual(
    located.map(({ item, line, byte }) => [item, line, byte]),
    found(report).map(({ item, line, byte }) => [item, line, byte]),
  );
});

test("advice", async () => {
  const report = await validateImport(Buffer.from(good("a")), TABLE);
  assert.deepEqual(report.findings.map(({ level, key, item, reached }) => [level, key, item, reached]), [["advice", null, null, true]]);
  assert.match(report.findings[0]?.messages[0] ?? "", /below 200 an import takes longer/);
});

test("what is assumed", async () => {
  const text = `${good("a")}{"Item":{"pk":{"S":"b"}},"x":1}\n${good("c")}`;
  const counts = async (options: ValidateOptions) => {
    const report = await validateImport(Buffer.from(text), TABLE, options);
    return [report.ok, report.errors, report.unverified, report.description.ImportedItemCount];
  };
  assert.deepEqual(await counts({}), [true, 0, 1, 3]);
  assert.deepEqual(await counts({ strict: true }), [false, 1, 0, 2]);
  assert.deepEqual(await counts({ strict: true, assume: { beside_item: "accept" } }), [true, 0, 0, 3]);
  assert.deepEqual(await counts({ assume: { beside_item: "object" } }), [false, 1, 0, 1]);
});

test("the short form", async () => {
  const csv = Buffer.from("sk;pk\n1;a\nx;b\n");
  for (const [bytes, compression] of [[csv, "NONE"], [gzipSync(csv), "GZIP"], [zstd(csv), "ZSTD"]] as const) {
    const report = await validateImport(bytes, { key: ["pk:S", "sk:N"] });
    assert.deepEqual(report.input, { format: "CSV", compression, delimiter: ";", told: true });
    assert.deepEqual([report.errors, report.items], [1, 1]);
  }
  const files = new Map([
    ["AWSDynamoDB/1/manifest-files.json", Buffer.from("{}")],
    ["data/a.json", Buffer.from(good("a"))],
  ]);
  const all = await validateImport(files, { key: ["pk:S"] });
  assert.deepEqual([all.objects, all.input.format, all.input.told], [2, "DYNAMODB_JSON", true]);
  const some = await validateImport(files, { key: ["pk:S"] }, { prefix: "da" });
  assert.deepEqual([some.objects, some.ok], [1, true]);
  const none = await validateImport(new Map(), { key: ["pk:S"] });
  assert.deepEqual([none.objects, none.ok], [0, true]);
});

test("by path", async () => {
  const folder = mkdtempSync(join(tmpdir(), "dynarrow-"));
  try {
    for (const [key, text] of [["data/a.json", good("a")], ["data/.hidden", good("b")], ["b.json", "x"]] as const) {
      mkdirSync(dirname(join(folder, key)), { recursive: true });
      writeFileSync(join(folder, key), text);
    }
    for (const source of [folder, `${folder}/`, pathToFileURL(folder)]) {
      const report = await validateImport(source, TABLE);
      assert.deepEqual([report.ok, report.objects, report.items], [true, 2, 2]);
    }
    // A file is the only object, whatever the prefix.
    const one = await validateImport(join(folder, "b.json"), TABLE);
    assert.deepEqual([one.objects, one.findings[0]?.key], [1, "b.json"]);
    await failsWith({ code: "E_NOT_FOUND" }, validateImport(join(folder, "gone"), TABLE));
    writeFileSync(join(folder, "data/a.json"), "PAR1 and so on");
    writeFileSync(join(folder, "data/.hidden"), "");
    const key = { key: ["pk:S"] };
    await failsWith({ code: "E_FORMAT", file: join(folder, "data/a.json") }, validateImport(folder, key, { prefix: "data/" }));
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("what is refused", async () => {
  const data = Buffer.from(good("a"));
  const refused = await failsWith(
    { code: "E_TABLE_SPEC" },
    validateImport(data, { ...TABLE, InputFormat: "XML" as "CSV", TableCreationParameters: {} }),
  );
  assert.match(refused.message, /inputFormat/);
  assert.match(refused.message, /tableName/);
  const wrong: [unknown, object, RegExp][] = [
    [{ key: ["pk"] }, {}, /pk:S, pk:N or pk:B/],
    [{ key: "pk:S" }, {}, /key must be an array/],
    [{ ...TABLE, key: ["pk:S"] }, {}, /stand alone/],
    [TABLE, { assume: { nothing: "item" } }, /there are value_faults/],
    [TABLE, { assume: { ion_types: "refuse" } }, /unverified, accept, item, object/],
    [TABLE, { maxFindings: -1 }, /options: /],
    [TABLE, { colour: "red" }, /colour/],
    [TABLE, { chunkSize: 0 }, /chunkSize/],
  ];
  for (const [table, options, message] of wrong) {
    const error = await failsWith({ code: "E_USAGE" }, validateImport(data, table as ImportTableDocument, options));
    assert.match(error.message, message);
  }
  await failsWith({ code: "E_TABLE_SPEC" }, validateImport(data, undefined as unknown as ImportTableDocument));
  await failsWith({ code: "E_USAGE" }, validateImport(5 as unknown as Uint8Array, TABLE));
  await failsWith({ code: "E_FORMAT" }, validateImport(data, TABLE, { log: "no log" }));
});

test("progress and stopping", async () => {
  const seen: number[] = [];
  const files = new Map([
    ["data/a", Buffer.from(good("a").repeat(1000))],
    ["data/b", Buffer.from(good("b").repeat(10))],
  ]);
  const size = 1010 * good("a").length;
  const onProgress = ({ done, total }: { done: number; total: number }) => assert.ok(seen.push(done) && total === size);
  await validateImport(files, TABLE, { chunkSize: 10_000, onProgress });
  assert.deepEqual(seen, [10_000, 20_000, 26_000, 26_260]);
  const reason = new Error("enough");
  await assert.rejects(validateImport(files, TABLE, { signal: AbortSignal.abort(reason) }), reason);
  const failing = () => {
    throw reason;
  };
  const bad = Buffer.from("no JSON\n");
  await assert.rejects(validateImport(bad, TABLE, { errorLog: failing }), reason);
});

/** What the tests share: exports made in memory, and values in one form whatever they were read from. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync, gzipSync } from "node:zlib";
import { DataType, type Field, type Schema, type Table, tableFromIPC } from "apache-arrow";
import type { Bytes, DynarrowError } from "dynarrow";

export const DATA = fileURLToPath(new URL("../data/", import.meta.url));
/** The sample export. */
export const SHOP = join(DATA, "exports/shop");

/** A value of DynamoDB JSON: `{"S": "x"}`. */
export type AttributeValue = { readonly [descriptor: string]: unknown };
export type Item = { readonly [name: string]: AttributeValue };
/** A value as the tests compare them: numbers canonical, bytes base64, null left out of objects. */
export type Plain = string | number | boolean | null | Plain[] | { [name: string]: Plain };

/** All files below a folder, by key. */
export function filesBelow(folder: string): Map<string, Uint8Array> {
  const keys = (readdirSync(folder, { recursive: true }) as string[]).filter((key) => statSync(join(folder, key)).isFile());
  return new Map(keys.sort().map((key) => [key, readFileSync(join(folder, key))]));
}

/** The items of an export in the order of its manifest, by zlib and `JSON.parse` alone. */
export function itemsOf(folder: string): Item[] {
  const files = filesBelow(folder);
  const manifest = [...files].find(([key]) => key.endsWith("manifest-files.json"));
  assert.ok(manifest);
  const keys = lines(manifest[1].toString()).map((line) => (JSON.parse(line) as { dataFileS3Key: string }).dataFileS3Key);
  return keys.flatMap((key) => {
    const bytes = files.get(key);
    assert.ok(bytes, key);
    return lines(gunzipSync(bytes).toString()).map((line) => (JSON.parse(line) as { Item: Item }).Item);
  });
}

export function lines(text: string): string[] {
  return text.split("\n").filter((line) => line !== "");
}

export interface MadeFile {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** What the manifest says of it. */
  readonly itemCount: number;
}

/** A data file of these items. */
export function dataFile(name: string, items: readonly Item[]): MadeFile {
  const text = items.map((item) => `${JSON.stringify({ Item: item })}\n`).join("");
  return { name: `${name}.json.gz`, bytes: gzipSync(text), itemCount: items.length };
}

/** The same as Ion, as the exporter writes it: a space before every line but the first. */
export function ionFile(name: string, items: readonly Item[]): MadeFile {
  return { name: `${name}.ion.gz`, bytes: gzipSync(items.map(ionLine).join(" ")), itemCount: items.length };
}

/** The line of an item in Ion, as ion-java writes it. */
export function ionLine(item: Item): string {
  return `$ion_1_0 {Item:${ionValue({ M: item })}}\n`;
}

function ionValue(value: AttributeValue): string {
  const [[descriptor, inner] = ["NULL", true]] = Object.entries(value);
  const list = (values: readonly unknown[]) => `[${values.map((member) => ionValue(member as AttributeValue)).join(",")}]`;
  switch (descriptor) {
    case "S":
      return ionText(String(inner), '"');
    case "N":
      return ionDecimal(String(inner));
    case "B":
      return `{{${inner}}}`;
    case "BOOL":
      return String(inner);
    case "NULL":
      return "null";
    case "M":
      return `{${Object.entries(inner as Item).map(([name, member]) => `${ionName(name)}:${ionValue(member)}`).join(",")}}`;
    case "L":
      return list(inner as AttributeValue[]);
    default:
      return `$dynamodb_${descriptor}::${list((inner as string[]).map((member) => ({ [descriptor.slice(0, 1)]: member })))}`;
  }
}

function ionName(name: string): string {
  const bare = /^[A-Za-z_$][\w$]*$/.test(name) && !/^(null|true|false|nan|\$\d+)$/.test(name);
  return bare ? name : ionText(name, "'");
}

const ESCAPES = new Map([..."\0\x07\b\t\n\v\f\r"].map((control, at) => [control, `\\${"0abtnvfr"[at]}`]));

function ionText(text: string, quote: string): string {
  const escaped = text.replace(/["'\\\p{Cc}]/gu, (char) => {
    if (char === quote || char === "\\") return `\\${char}`;
    if (char === '"' || char === "'") return char;
    return ESCAPES.get(char) ?? `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`;
  });
  return quote + escaped + quote;
}

function ionDecimal(number: string): string {
  const plain = canonical(number);
  const [, sign = "", integer = "", fraction = ""] = /^(-?)(\d+)\.?(\d*)$/.exec(plain) ?? [];
  const all = (integer + fraction).replace(/^0+(?=\d)/, "");
  const digits = all === "0" ? all : all.replace(/0+$/, "");
  const exponent = all.length - digits.length - fraction.length;
  if (exponent > 0) return `${sign}${digits}d${exponent}`;
  if (exponent === 0) return `${plain}.`;
  return digits.length - 1 + exponent >= -6 ? plain : `${sign}${digits}d${exponent}`;
}

const FOLDER = "AWSDynamoDB/01754291340850-fceb8e51/";

/** An export as AWS writes it, with true checksums. */
export function makeExport(files: readonly MadeFile[], summary: object = {}): Map<string, Uint8Array> {
  const made = new Map<string, Uint8Array>();
  const manifest = files.map(({ name, bytes, itemCount }) => {
    made.set(`${FOLDER}data/${name}`, bytes);
    const md5 = createHash("md5").update(bytes).digest();
    const etag = `${createHash("md5").update(md5).digest("hex")}-1`;
    return JSON.stringify({ itemCount, md5Checksum: md5.toString("base64"), etag, dataFileS3Key: `${FOLDER}data/${name}` });
  });
  const itemCount = files.reduce((sum, file) => sum + file.itemCount, 0);
  const texts = {
    "manifest-summary": JSON.stringify({ version: "2020-06-30", itemCount, outputFormat: "DYNAMODB_JSON", ...summary }),
    "manifest-files": manifest.map((line) => `${line}\n`).join(""),
  };
  for (const [name, text] of Object.entries(texts)) {
    made.set(`${FOLDER}${name}.json`, Buffer.from(text));
    made.set(`${FOLDER}${name}.md5`, Buffer.from(createHash("md5").update(text).digest("base64")));
  }
  return made;
}

/** Replaces text in a manifest, whose checksum is then false. */
export function editManifest(made: Map<string, Bytes>, name: string, edit: (text: string) => string): void {
  const key = FOLDER + name;
  made.set(key, Buffer.from(edit(Buffer.from(made.get(key) as Uint8Array).toString())));
}

export async function collect<T>(parts: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const part of parts) all.push(part);
  return all;
}

export async function bytesOf(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  return Buffer.concat(await collect(stream));
}

/** The rows of IPC streams, which all have one schema. */
export function rowsOf(batches: readonly Uint8Array[]): { schema: Schema; rows: Plain[] } {
  const tables = batches.map((batch) => tableFromIPC(batch));
  const [first] = tables;
  assert.ok(first);
  for (const table of tables) assert.equal(String(table.schema), String(first.schema));
  return { schema: first.schema, rows: tables.flatMap(rowsOfTable) };
}

export function rowsOfTable(table: Table): Plain[] {
  const columns = table.schema.fields.map((field, at) => ({ field, column: table.getChildAt(at) }));
  return Array.from({ length: table.numRows }, (_, row) =>
    entries(columns.map(({ field, column }) => [field.name, fromArrow(field.type, column?.get(row))])),
  );
}

/** An object without its nulls. */
function entries(members: [string, Plain][]): Plain {
  return Object.fromEntries(members.filter(([, value]) => value !== null));
}

/** A value that apache-arrow gives, in the tests' form. */
export function fromArrow(type: DataType, value: unknown): Plain {
  if (value === null || value === undefined) return null;
  if (DataType.isInt(type)) return String(value);
  if (DataType.isDecimal(type)) return decimal(value as Uint32Array, type.scale);
  if (DataType.isBinary(type)) return Buffer.from(value as Uint8Array).toString("base64");
  if (DataType.isList(type)) return Array.from(value as Iterable<unknown>, (member) => fromArrow(type.children[0]?.type as DataType, member));
  if (DataType.isMap(type)) return Object.fromEntries(value as Iterable<[string, string]>);
  if (DataType.isStruct(type)) {
    const struct = value as { [name: string]: unknown };
    return entries(type.children.map((child) => [child.name, fromArrow(child.type, struct[child.name])]));
  }
  assert.ok(["string", "number", "boolean"].includes(typeof value), `${type}: ${String(value)}`);
  return value as Plain;
}

function decimal(words: Uint32Array, scale: number): string {
  const unsigned = words.reduceRight((sum, word) => (sum << 32n) | BigInt(word), 0n);
  const digits = BigInt.asIntN(128, unsigned);
  return canonical(`${digits}E${-scale}`);
}

/** A value of DynamoDB JSON in the tests' form, where it stands in a column of this field. */
export function fromItem(field: Field, value: AttributeValue | undefined): Plain {
  const [[descriptor, inner] = ["NULL", true]] = Object.entries(value ?? {});
  const { type } = field;
  if (descriptor === "NULL") return null;
  if (field.metadata.get("dynamodb.type") === "mixed" && DataType.isStruct(type)) {
    const child = type.children.find(({ name }) => name === descriptor);
    assert.ok(child, `${field.name} has no ${descriptor}`);
    return { [descriptor]: fromItem(child, value) };
  }
  const element = type.children?.[0];
  switch (descriptor) {
    case "N":
      return DataType.isFloat(type) ? Number(inner) : canonical(String(inner));
    case "B":
      return Buffer.from(String(inner), "base64").toString("base64");
    case "M": {
      if (DataType.isMap(type)) return {};
      const members = inner as Item;
      return entries((type.children as Field[]).map((child) => [child.name, fromItem(child, members[child.name])]));
    }
    case "L":
      return (inner as AttributeValue[]).map((member) => fromItem(element as Field, member));
    case "SS":
    case "NS":
    case "BS":
      return (inner as string[]).map((member) => fromItem(element as Field, { [descriptor.slice(0, 1)]: member }));
    default:
      return inner as Plain;
  }
}

/** Items as rows of a schema. */
export function rowsOfItems(items: readonly Item[], schema: Schema): Plain[] {
  return items.map((item) => entries(schema.fields.map((field) => [field.name, fromItem(field, item[field.name])])));
}

/** A number's one form: plain, without zeros that say nothing. */
export function canonical(number: string): string {
  const match = /^([+-]?)(\d*)\.?(\d*)(?:[eE]([+-]?\d+))?$/.exec(number);
  assert.ok(match, number);
  const [, sign, integer = "", fraction = "", exponent = "0"] = match;
  let scale = fraction.length - Number(exponent);
  let digits = BigInt(integer + fraction);
  if (digits === 0n) return "0";
  for (; digits % 10n === 0n && scale > 0; scale--) digits /= 10n;
  if (scale < 0) digits *= 10n ** BigInt(-scale);
  const text = digits.toString().padStart(scale + 1, "0");
  const point = text.length - Math.max(scale, 0);
  return (sign === "-" ? "-" : "") + (scale > 0 ? `${text.slice(0, point)}.${text.slice(point)}` : text);
}

/** Code and position of an error, without its message. */
export type Where = Partial<Pick<DynarrowError, "code" | "file" | "line" | "byte" | "item" | "path">>;

/** What `work` fails with, which must be a DynarrowError of this kind. */
export async function failsWith(where: Where, work: Promise<unknown>): Promise<DynarrowError> {
  const error = await work.then(
    () => assert.fail(`nothing failed, expected ${where.code}`),
    (error: DynarrowError) => error,
  );
  assert.equal(error.name, "DynarrowError", String(error.stack));
  const found = Object.fromEntries(Object.keys(where).map((key) => [key, error[key as keyof Where]]));
  assert.deepEqual(found, { ...where }, error.message);
  assert.ok(error.message.startsWith(`${error.code}: `), error.message);
  return error;
}

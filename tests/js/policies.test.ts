/** Policies, overrides and frozen schemas: the columns' types, their values, and what is counted. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { tableFromIPC } from "apache-arrow";
import { type Export, type Loss, type ReadOptions, Schema, type SchemaDocument, openExport } from "dynarrow";
import { type Item, SHOP, collect, dataFile, failsWith, itemsOf, makeExport, rowsOf, rowsOfItems } from "./support.ts";

const NONE: Loss = { count: 0 };

const open = (...items: Item[]): Promise<Export> => openExport(makeExport([dataFile("a", items)]));

/** Arrow types by column, rows, and what was lost. */
async function read(exp: Export, options?: ReadOptions) {
  const reader = exp.readBatches(options);
  const { schema, rows } = rowsOf(await collect(reader));
  const types = Object.fromEntries(schema.fields.map(({ name, type }) => [name, String(type)]));
  assert.ok(reader.report);
  return { schema, types, rows, losses: reader.report.losses };
}

/** What synchronous work fails with. */
const fails = (code: string, work: () => unknown) => failsWith({ code }, new Promise((resolve) => resolve(work())));

test("numbers as decimal: rounded half to even, null where they overflow, both counted", async () => {
  const exp = await open(...["1.005", "1.015", "-2.5", "100000", "99999.99", "99999.995"].map((N) => ({ n: { N } })));
  const { types, rows, losses } = await read(exp, { numbers: "decimal(7,2)" });
  assert.deepEqual(types, { n: "Decimal[7e+2]" });
  assert.deepEqual(rows, [{ n: "1" }, { n: "1.02" }, { n: "-2.5" }, {}, { n: "99999.99" }, {}]);
  assert.deepEqual(losses.rounded, { count: 2, path: "n", value: "1.005" });
  assert.deepEqual(losses.overflowed, { count: 2, path: "n", value: "100000" });
  assert.deepEqual(losses.extra, NONE);
});

test("maps: past maxFields members a map column, or what is asked for", async () => {
  const exp = await open({ m: { M: { a: { N: "1" }, b: { N: "2" } } } }, { m: { M: { c: { N: "3" } } } });
  const type = async (options?: ReadOptions) => (await read(exp, options)).types.m?.replace(/[<{].*/, "");
  assert.equal(await type(), "Struct");
  assert.equal(await type({ maxFields: 2 }), "Map");
  assert.equal(await type({ maxFields: 2, maps: "struct" }), "Struct");
  assert.equal(await type({ maps: "map" }), "Map");
  const json = await read(exp, { maps: "json" });
  assert.deepEqual(json.types, { m: "Utf8" });
  assert.deepEqual(json.rows.map((row) => JSON.parse((row as { m: string }).m)), [{ M: { a: { N: "1" }, b: { N: "2" } } }, { M: { c: { N: "3" } } }]);
});

test("the typed layout: each value in a struct of the types seen, NULL too", async () => {
  const { types, rows, losses } = await read(await open({ a: { S: "x" } }, { a: { N: "7" }, l: { L: [{ NULL: true }, { BOOL: false }] } }, { a: { NULL: true } }), { layout: "typed" });
  assert.deepEqual(Object.keys(types), ["a", "l"]);
  assert.match(types.a ?? "", /^Struct<.*S:Utf8.*N:Int64.*NULL:Bool.*>$/);
  assert.match(types.l ?? "", /^Struct<.*L:List<Struct<.*BOOL:Bool.*NULL:Bool.*>>.*>$/);
  assert.deepEqual(rows, [{ a: { S: "x" } }, { a: { N: "7" }, l: { L: [{ NULL: true }, { BOOL: false }] } }, { a: { NULL: true } }]);
  assert.equal(losses.extra.count, 0);
});

test("maxColumns: attributes past it go to _extra; maxPaths: more are an error", async () => {
  const exp = await open({ a: { S: "x" }, b: { N: "1" }, c: { N: "2" } });
  const { rows, losses } = await read(exp, { maxColumns: 1 });
  assert.deepEqual(rows, [{ a: "x", _extra: '{"b":{"N":"1"},"c":{"N":"2"}}' }]);
  assert.deepEqual(losses.extra, { count: 2, path: "b", value: '{"N":"1"}' });
  await failsWith({ code: "E_TOO_MANY_PATHS" }, (await open({ a: { S: "x" }, b: { N: "1" }, c: { N: "2" } })).inferSchema({ maxPaths: 2 }));
});

test("overrides: single paths, and what does not fit", async () => {
  const exp = await open(
    { price: { N: "1.5" }, meta: { M: { a: { S: "x" } } }, at: { S: "2024-02-29T12:00:00.000Z" }, lines: { L: [{ M: { qty: { N: "1" } } }, { M: { qty: { N: "2.5" } } }] } },
    { price: { N: "0.001" }, at: { S: "yesterday" } },
  );
  const overrides = { price: "decimal(18,2)", meta: "json", at: "timestamp(iso)", "lines[].qty": "int64" } as const;
  const schema = await exp.inferSchema({ overrides });
  assert.deepEqual(schema.fields.map(({ name, arrow }) => [name, arrow]), [["price", "decimal128(18, 2) rounded"], ["meta", "utf8"], ["at", "timestamp(iso)"], ["lines", "list"]]);
  assert.deepEqual(schema.toJSON().overrides, overrides);
  // apache-arrow's timestamps are not in the tests' form.
  const { at, ...others } = overrides;
  const reader = exp.readBatches({ overrides: others, columns: ["price", "meta", "lines"] });
  const { rows } = rowsOf(await collect(reader));
  assert.deepEqual(rows, [
    { price: "1.5", meta: '{"M":{"a":{"S":"x"}}}', lines: [{ qty: "1" }, {}], _extra: '{"lines[1].qty":{"N":"2.5"}}' },
    { price: "0" },
  ]);
  assert.deepEqual(reader.report?.losses.rounded, { count: 1, path: "price", value: "0.001" });
  assert.deepEqual(reader.report?.losses.extra, { count: 1, path: "lines[1].qty", value: '{"N":"2.5"}' });
  const times = exp.readBatches({ overrides: { at }, columns: ["at"] });
  const [batch] = await collect(times);
  const column = tableFromIPC(batch).getChild("at");
  assert.deepEqual([...(column ?? [])].map((moment) => (moment === null ? null : Number(moment))), [Date.UTC(2024, 1, 29, 12), null]);
  assert.deepEqual(times.report?.losses.extra, { count: 1, path: "at", value: '{"S":"yesterday"}' });
});

test("a sample: the first items only, then a frozen schema", async () => {
  const exp = await open({ a: { N: "1" } }, { a: { N: "2" } }, { a: { S: "x" }, b: { BOOL: true } });
  const { types, rows, losses } = await read(exp, { sample: 2 });
  assert.deepEqual(types, { a: "Int64", _extra: "Utf8" });
  assert.deepEqual(rows, [{ a: "1" }, { a: "2" }, { _extra: '{"a":{"S":"x"},"b":{"BOOL":true}}' }]);
  assert.deepEqual(losses.extra, { count: 2, path: "a", value: '{"S":"x"}' });
  assert.equal((await exp.inferSchema({ sample: 2 })).toJSON().items, 2);
});

test("a sample does not read the rest", async () => {
  const made = makeExport([dataFile("a", [{ a: { N: "1" } }]), dataFile("b", [{ a: { N: "x" } }])]);
  const exp = await openExport(made);
  assert.deepEqual((await exp.inferSchema({ sample: 1 })).fields.map(({ name }) => name), ["a"]);
  await failsWith({ code: "E_NUMBER" }, exp.inferSchema());
});

test("a frozen schema: read in one pass, what does not fit is in _extra, counted", async () => {
  const schema = await (await open({ id: { N: "1" }, m: { M: { a: { S: "x" } } } })).inferSchema();
  const other = await open({ id: { N: "2" }, m: { M: { a: { S: "y" } } } }, { id: { N: "2.5" }, m: { M: { a: { N: "1" }, b: { S: "z" } } }, late: { L: [] } });
  for (const given of [schema, schema.toJSON(), JSON.parse(JSON.stringify(schema)) as SchemaDocument, Schema.fromJSON(schema.toJSON())]) {
    let total = 0;
    const { types, rows, losses } = await read(other, { schema: given, onProgress: (progress) => (total = progress.total) });
    assert.equal(total, other.files[0]?.size);
    assert.deepEqual(Object.keys(types), ["id", "m", "_extra"]);
    assert.deepEqual(rows[0], { id: "2", m: { a: "y" } });
    const { _extra, ...rest } = rows[1] as { _extra: string };
    assert.deepEqual(rest, { m: {} });
    assert.deepEqual(JSON.parse(_extra), { id: { N: "2.5" }, "m.a": { N: "1" }, "m.b": { S: "z" }, late: { L: [] } });
    assert.deepEqual(losses, { rounded: NONE, overflowed: NONE, extra: { count: 4, path: "id", value: '{"N":"2.5"}' } });
  }
  const dropped = await read(other, { schema, extra: "drop" });
  assert.deepEqual(dropped.rows, [{ id: "2", m: { a: "y" } }, { m: {} }]);
  assert.equal(dropped.losses.extra.count, 4);
  await assert.rejects(read(other, { schema, extra: "error" }), { name: "DynarrowError", item: 1, path: "id" });
  const chosen = await read(other, { schema, columns: ["m"] });
  assert.deepEqual(Object.keys(chosen.types), ["m", "_extra"]);
  await failsWith({ code: "E_COLUMN" }, read(other, { schema, columns: ["late"] }));
});

test("the sample export through its own document", async () => {
  const exp = await openExport(SHOP);
  const document = JSON.parse(JSON.stringify(await exp.inferSchema())) as SchemaDocument;
  assert.deepEqual(Schema.fromJSON(document).toJSON(), document);
  const { schema, rows, losses } = await read(await openExport(SHOP), { schema: document });
  assert.deepEqual(rows, rowsOfItems(itemsOf(SHOP), schema));
  assert.deepEqual(losses, { rounded: NONE, overflowed: NONE, extra: NONE });
});

test("a document that a person edited", async () => {
  const exp = await open({ a: { N: "1" }, b: { S: "x" } });
  const document = (await exp.inferSchema()).toJSON();
  const edited = { ...document, fields: document.fields.filter(({ name }) => name === "a").map((field) => ({ ...field, arrow: "utf8" })) };
  assert.deepEqual((await read(exp, { schema: edited })).rows, [{ a: "1", _extra: '{"b":{"S":"x"}}' }]);
});

test("merge and override", async () => {
  const items: Item[] = [{ a: { N: "1" } }, { a: { N: "1.5" }, b: { S: "x" } }, { b: { BOOL: true } }];
  const learn = async (...some: Item[]) => (await open(...some)).inferSchema();
  const [one, two, all] = await Promise.all([learn(...items.slice(0, 1)), learn(...items.slice(1)), learn(...items)]);
  const merged = one.merge(two);
  assert.ok(merged instanceof Schema);
  assert.equal(merged.toJSON().items, 3);
  const types = (schema: Schema) => schema.fields.map(({ name, arrow, seen }) => [name, arrow, seen]);
  assert.deepEqual(types(merged), types(all));
  assert.deepEqual(one.merge(two.toJSON()).toJSON(), two.merge(one).toJSON());
  const overridden = merged.override({ a: "string", b: "json" });
  assert.deepEqual(types(overridden).map(([, arrow]) => arrow), ["utf8", "utf8"]);
  assert.deepEqual(overridden.toJSON().overrides, { a: "string", b: "json" });
  assert.deepEqual(merged.toJSON().overrides, {});
  await fails("E_USAGE", () => one.merge(overridden));
  await fails("E_USAGE", () => one.merge(1 as unknown as Schema));
  await fails("E_USAGE", () => one.override({ a: "int" as "int64" }));
});

test("schemas that are none, and options that a schema fixes", async () => {
  const exp = await open({ a: { N: "1" } });
  const schema = await exp.inferSchema();
  const document = schema.toJSON();
  const broken = [{}, [], { ...document, dynarrow_schema: 2 }, { ...document, fields: 1 }, { ...document, fields: [{ name: "a", arrow: "int65", dynamodb: "N" }] }, { ...document, fields: [...document.fields, ...document.fields] }];
  for (const wrong of broken as SchemaDocument[]) {
    await fails("E_SCHEMA", () => Schema.fromJSON(wrong));
    await failsWith({ code: "E_SCHEMA" }, exp.inferSchema({ schema: wrong }));
  }
  await fails("E_USAGE", () => Schema.fromJSON(JSON.stringify(document) as unknown as SchemaDocument));
  const fixed: ReadOptions[] = [{ numbers: "string" }, { mixed: "json" }, { maps: "map" }, { layout: "typed" }, { names: "athena" }, { overrides: { a: "json" } }, { maxFields: 1 }, { maxColumns: 1 }, { sample: 1 }];
  for (const options of fixed) {
    await failsWith({ code: "E_USAGE" }, exp.inferSchema({ ...options, schema }));
    await failsWith({ code: "E_USAGE" }, collect(exp.readBatches({ ...options, schema })));
  }
});

/** The README's examples, as they stand there. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { DATA } from "./support.ts";

const ROOT = join(DATA, "../..");

const scratch = mkdtempSync(join(tmpdir(), "dynarrow-"));
after(() => rmSync(scratch, { recursive: true }));

test("the JavaScript of the README runs in the repository's root", () => {
  const blocks = [...readFileSync(join(ROOT, "README.md"), "utf8").matchAll(/^```js\n(.*?)^```$/gms)];
  assert.equal(blocks.length, 2);
  // As if the package were installed.
  mkdirSync(join(scratch, "node_modules"));
  symlinkSync(dirname(createRequire(import.meta.url).resolve("dynarrow/package.json")), join(scratch, "node_modules/dynarrow"), "junction");
  const [lines, imports] = blocks.map((block, n) => {
    const script = join(scratch, `readme-${n}.mjs`);
    writeFileSync(script, block[1] ?? "");
    return execFileSync(process.execPath, [script], { cwd: ROOT, encoding: "utf8" }).trimEnd().split("\n");
  });
  const [first, ...rest] = lines ?? [];
  assert.equal(first, "3000 true");
  assert.equal(imports?.[0], "FAILED 4");
  assert.match(imports?.[1] ?? "", /^4 manifests of an export are under the prefix/);
  assert.ok(rest.length > 0 && rest.every((line) => Number(line) > 0), rest.join("\n"));
});

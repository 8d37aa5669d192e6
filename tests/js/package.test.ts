/** The built package as such: what `npm install dynarrow` brings. */

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";
import { version } from "dynarrow";

const manifest = createRequire(import.meta.url)("dynarrow/package.json") as { version: string };

test("the package has the version of the core", () => {
  assert.equal(version(), manifest.version);
});

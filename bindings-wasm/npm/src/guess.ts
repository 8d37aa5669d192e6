/** Guessing a schema from places all over the files, so that one pass may do. */

import type { Watch } from "./drive.js";
import { call } from "./error.js";
import type { OpenExport } from "./open.js";
import type { ReadOptions } from "./options.js";
import { readPart, sizeOf } from "./source.js";
import { type Export as Handle, type Guess, type Looking, Options } from "./wasm/dynarrow_wasm.js";

/** Makes something by a guess, where one is worth its while; one pass over the files will follow. */
export async function withGuess<T>(
  open: OpenExport,
  given: ReadOptions | undefined,
  watch: Watch,
  make: (handle: Handle, options: Options, guess: Guess) => T,
): Promise<T | undefined> {
  const options = call(() => new Options(given));
  try {
    const guess = await guessSchema(open, options, watch);
    if (guess === undefined) return undefined;
    watch.expect(1);
    return call(() => make(open.handle, options, guess));
  } finally {
    options.free();
  }
}

async function guessSchema(open: OpenExport, options: Options, watch: Watch): Promise<Guess | undefined> {
  const looking = call(() => open.handle.look(options));
  if (looking === undefined) return undefined;
  let ended = false;
  try {
    for (const place of looking.files) await lookAt(open, place, looking, watch);
    ended = true;
  } finally {
    if (!ended) looking.free();
  }
  return call(() => looking.finish());
}

async function lookAt({ files, chunkSize }: OpenExport, place: number, looking: Looking, watch: Watch): Promise<void> {
  const file = files[place];
  if (file === undefined || file.bytes === null) return;
  const { bytes, name } = file;
  const size = sizeOf(bytes);
  looking.begin(place);
  for (let at = 0; at < size; at += chunkSize) {
    const chunk = await readPart(bytes, at, Math.min(at + chunkSize, size), name);
    watch.check();
    if (!call(() => looking.push(chunk))) return;
    await watch.breathe();
  }
  call(() => looking.end());
}

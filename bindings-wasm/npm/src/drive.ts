/** Pushing files through a pass, in chunks, without holding up whatever else the thread does. */

import { call } from "./error.js";
import { type Bytes, readPart, sizeOf } from "./source.js";

/** How far the work is. */
export interface Progress {
  /** Compressed bytes that were read, over all passes. */
  readonly done: number;
  /** Compressed bytes to read, over all passes. */
  readonly total: number;
  /** Good items that were read in this pass. */
  readonly items: number;
}

/** What all long work takes. */
export interface WorkOptions {
  /** Stops the work, which then fails with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Called after each chunk that was read, and after each file. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/** A pass of the wasm, whatever it makes of the bytes. */
export interface Pass {
  /** The place of the file that is read. A file that failed is over before its end. */
  readonly file: number;
  readonly items: number;
  push(chunk: Uint8Array): void;
  end(): void;
  /** Does a bounded piece of work; false where more bytes are needed. */
  work(): boolean;
  free(): void;
}

/** A file of an export; one that is missing has no bytes. */
export interface OpenFile {
  readonly name: string;
  readonly bytes: Bytes | null;
}

/** The files of an export, and how many bytes are read of one at a time. */
export interface Pushed {
  readonly files: readonly OpenFile[];
  readonly chunkSize: number;
}

/** Work goes on for so many milliseconds before other tasks have their turn. */
const TURN = 10;

/** Reports the progress of one call over its passes, and lets other tasks have their turn. */
export class Watch {
  readonly #options: WorkOptions;
  readonly #size: number;
  #total = 0;
  #done = 0;
  #turn = performance.now();

  constructor(options: WorkOptions | undefined, files: readonly OpenFile[]) {
    this.#options = options ?? {};
    this.#size = files.reduce((sum, { bytes }) => sum + (bytes === null ? 0 : sizeOf(bytes)), 0);
    this.check();
  }

  /** So many more passes over the files will follow. */
  expect(passes: number): void {
    this.#total += passes * this.#size;
  }

  /** Throws where the work is to stop. */
  check(): void {
    this.#options.signal?.throwIfAborted();
  }

  advance(bytes: number, items: number): void {
    this.#done += bytes;
    this.#options.onProgress?.({ done: this.#done, total: this.#total, items });
  }

  async breathe(): Promise<void> {
    if (performance.now() - this.#turn < TURN) return;
    await nextTask();
    this.#turn = performance.now();
    this.check();
  }
}

/**
 * Pushes all files. Yields after each piece of work, for the caller to take what it made;
 * nothing but the next chunk is read ahead of the caller.
 */
export async function* drive(pass: Pass, { files, chunkSize }: Pushed, watch: Watch): AsyncGenerator<undefined, void> {
  for (const [place, { name, bytes }] of files.entries()) {
    const size = bytes === null ? 0 : sizeOf(bytes);
    let reported = 0;
    const read = (at: number) => (bytes === null || at >= size ? undefined : readPart(bytes, at, Math.min(at + chunkSize, size), name));
    let next = read(0);
    for (let at = 0; next !== undefined && pass.file === place; at += chunkSize) {
      const chunk = await next;
      watch.check();
      next = read(at + chunkSize);
      // It is said where the chunk is taken, and need not be where it never is.
      next?.catch(() => undefined);
      if (at > reported) {
        watch.advance(at - reported, pass.items);
        reported = at;
      }
      call(() => pass.push(chunk));
      yield* work(pass, watch);
    }
    if (pass.file === place) {
      call(() => pass.end());
      yield* work(pass, watch);
    }
    watch.advance(size - reported, pass.items);
  }
}

/** Pushes all files through a pass, which `finish` takes the memory of. */
export async function runToEnd<T>(pass: Pass, source: Pushed, watch: Watch, finish: () => T): Promise<T> {
  let ended = false;
  try {
    for await (const _ of drive(pass, source, watch));
    ended = true;
  } finally {
    if (!ended) pass.free();
  }
  return call(finish);
}

async function* work(pass: Pass, watch: Watch): AsyncGenerator<undefined, void> {
  while (call(() => pass.work())) {
    yield;
    await watch.breathe();
  }
}

/** Lets timers, input and painting go first. Not a timer, which browsers make wait. */
function nextTask(): Promise<void> {
  if (typeof setImmediate === "function") return new Promise((resolve) => setImmediate(resolve));
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}

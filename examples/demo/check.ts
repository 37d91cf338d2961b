// The check: the same words, counted in one process.

import type { Input } from "./input.ts";
import { plural, type Screen } from "./screen.ts";
import { countWords, differingWords, type WordCounts } from "./words.ts";

const PAUSE_INTERVAL_MS = 100;

/** Counts the same input in this process: whole files, without chunks and without sockets. */
export async function countAlone(
  input: Input,
  rounds: number,
  screen: Screen,
  signal: AbortSignal,
): Promise<{ words: WordCounts; seconds: number }> {
  const words: WordCounts = new Map();
  const started = performance.now();
  let pausedAt = started;
  for (let round = 0; round < rounds; round++) {
    for (const [index, file] of input.files.entries()) {
      countWords(file, words);
      if (performance.now() - pausedAt < PAUSE_INTERVAL_MS) continue;
      screen.progress((round + index / input.files.length) / rounds, "the same in one process");
      // Lets Ctrl-C through.
      await new Promise((resolve) => setTimeout(resolve));
      signal.throwIfAborted();
      pausedAt = performance.now();
    }
  }
  return { words, seconds: (performance.now() - started) / 1_000 };
}

/** Throws if `words` is not what the single process counted. */
export function compare(words: WordCounts, expected: WordCounts): void {
  const differing = differingWords(words, expected);
  if (differing.length > 0) {
    const first = differing.slice(0, 3)
      .map((word) => `${word} ${words.get(word) ?? 0} instead of ${expected.get(word) ?? 0}`);
    throw new Error(
      `Does not match the single-process count: ${plural(differing.length, "word")} differ, ` +
        `such as ${first.join(", ")}`,
    );
  }
}

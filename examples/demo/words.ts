// Counting words: what the workers do in parallel and what the check does in one process.

/** How often each word occurs. */
export type WordCounts = Map<string, number>;

// Fixed ranges instead of \p{L}: the runtimes carry different Unicode tables, and the counts must agree.
const WORD = /[A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u1fff\u2c00-\ud7ff]+/g;

/** Adds the words of a UTF-8 text to `counts`; case does not matter. */
export function countWords(text: Uint8Array, counts: WordCounts = new Map()): WordCounts {
  const words = new TextDecoder().decode(text).match(WORD);
  if (words === null) return counts;
  for (const word of words) {
    const key = word.toLowerCase();
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

/** Adds `more` to `counts`. */
export function addCounts(counts: WordCounts, more: Iterable<[string, number]>): void {
  for (const [word, count] of more) counts.set(word, (counts.get(word) ?? 0) + count);
}

/** The sum of all counts. */
export function totalWords(counts: WordCounts): number {
  let total = 0;
  for (const count of counts.values()) total += count;
  return total;
}

/** The `limit` most frequent words; equal counts in alphabetical order. */
export function topWords(counts: WordCounts, limit: number): [string, number][] {
  return [...counts]
    .sort(([wordA, a], [wordB, b]) => b - a || (wordA < wordB ? -1 : 1))
    .slice(0, limit);
}

/** The words on which two counts differ: empty if they are equal. */
export function differingWords(a: WordCounts, b: WordCounts): string[] {
  const differing = [...a.keys()].filter((word) => a.get(word) !== b.get(word));
  return differing.concat([...b.keys()].filter((word) => !a.has(word)));
}

// The result: each worker's share, and the most frequent words.

import type { Outcome } from "./run.ts";
import type { Launch } from "./runtimes.ts";
import { formatCount, formatMegabytes, plural, type Screen } from "./screen.ts";
import { topWords, totalWords, type WordCounts } from "./words.ts";

/** Prints what each worker did, and the single process beside it. */
export function showShares(
  screen: Screen,
  launches: readonly Launch[],
  { ledger, seconds, sentAgain }: Outcome,
  aloneSeconds: number,
): void {
  const bytes = ledger.bytes;
  const row = (name: string, chunks: number, part: number, within: number) => [
    name,
    `${(100 * part / bytes).toFixed(1)} %`,
    formatCount(chunks),
    formatMegabytes(part),
    formatMegabytes(part / within),
  ];
  const rows = [["worker", "share", "chunks", "MB", "MB/s"]];
  for (const { name } of launches) {
    const share = ledger.shares.get(name) ?? { chunks: 0, bytes: 0 };
    rows.push(row(name, share.chunks, share.bytes, seconds));
  }
  rows.push(row("together", ledger.counted, ledger.bytes, seconds));
  rows.push(["one process", "", "", formatMegabytes(bytes), formatMegabytes(bytes / aloneSeconds)]);
  screen.table(rows);
  screen.print();
  if (sentAgain > 0) {
    const twice = plural(ledger.duplicates, "result");
    screen.print(
      `  ${plural(sentAgain, "chunk")} sent again, ${twice} came twice and counted once`,
    );
    screen.print();
  }
}

/** Prints the ten most frequent words. */
export function showWords(screen: Screen, words: WordCounts): void {
  screen.print(`  ${formatCount(totalWords(words))} words, ${formatCount(words.size)} different`);
  screen.print();
  screen.table(topWords(words, 10).map(([word, count]) => [word, formatCount(count)]));
  screen.print();
}

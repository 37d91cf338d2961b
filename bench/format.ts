// Figures as text.

/** 1000000 -> "1 M". */
export function formatCount(count: number): string {
  if (count < 1000) return `${count}`;
  return count < 1_000_000 ? `${count / 1000} k` : `${count / 1_000_000} M`;
}

/** 1 -> "1 B", 10000 -> "10 kB", 65536 -> "64 KiB". */
export function formatSize(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes % 1024 === 0) return `${bytes / 1024} KiB`;
  return bytes < 1_000_000 ? `${bytes / 1000} kB` : `${bytes / 1_000_000} MB`;
}

/** 8412345 -> "8.41 M". */
export function formatRate(rate: number | undefined): string {
  if (rate === undefined) return "-";
  if (rate >= 1e6) return `${(rate / 1e6).toPrecision(3)} M`;
  if (rate >= 1e5) return `${Math.round(rate / 1e3)} k`;
  return rate >= 1e3 ? `${(rate / 1e3).toPrecision(3)} k` : rate.toPrecision(3);
}

/** 3123456789 -> "3123 MB/s". */
export function formatMegabytes(rate: number | undefined): string {
  return rate === undefined ? "-" : `${Math.round(rate / 1e6)} MB/s`;
}

/** 61234 -> "61.2 kB". */
export function formatKilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} kB`;
}

/** 70.1234 -> "70 us". */
export function formatMicroseconds(us: number): string {
  return `${Math.round(us)} us`;
}

/** 70.1234 -> "70 ns". */
export function formatNanoseconds(ns: number): string {
  return `${Math.round(ns)} ns`;
}

/** 3 and 2 -> "1.50x". */
export function formatRatio(value: number | undefined, reference: number | undefined): string {
  if (value === undefined || reference === undefined) return "-";
  const ratio = value / reference;
  return `${ratio >= 10 ? ratio.toFixed(0) : ratio.toFixed(2)}x`;
}

/** A figure with its multiple of another, if there is one. */
export function withRatio(
  text: string,
  value: number | undefined,
  reference: number | undefined,
): string {
  const ratio = formatRatio(value, reference);
  return ratio === "-" ? text : `${text} (${ratio})`;
}

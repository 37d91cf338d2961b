// Figures as text.

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

/** A number with its thousands apart. */
export function count(value: number): string {
  return whole.format(value);
}

/** Three digits of a number. */
function digits(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

/** A time as its number and its unit. */
export function time(microseconds: number): [number: string, unit: string] {
  if (microseconds < 1_000) return [microseconds.toFixed(0), "µs"];
  if (microseconds < 1e6) return [digits(microseconds / 1_000), "ms"];
  return [digits(microseconds / 1e6), "s"];
}

/** Octets as their number and their unit. */
export function octets(value: number): [number: string, unit: string] {
  if (value < 1_000) return [value.toFixed(0), "B"];
  if (value < 1e6) return [digits(value / 1_000), "kB"];
  if (value < 1e9) return [digits(value / 1e6), "MB"];
  return [digits(value / 1e9), "GB"];
}

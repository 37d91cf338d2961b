// Options that cannot be right end in an error that says what would be.

const encoder = new TextEncoder();

/** A whole number of at least `least`. */
export function checkCount(name: string, value: number, least: number): number {
  if (Number.isSafeInteger(value) && value >= least) return value;
  return refuse(name, value, `a whole number of at least ${least}`);
}

/** A time in milliseconds, more than 0 and no longer than a timer can wait. */
export function checkTime(name: string, value: number): number {
  if (typeof value === "number" && value > 0 && value < 2 ** 31) return value;
  return refuse(name, value, "milliseconds, more than 0 and less than 2^31");
}

/** Something to be called. */
export function checkFunction<T>(name: string, value: T): T {
  if (typeof value === "function") return value;
  return refuse(name, value, "a function");
}

/** Text of 1 to `longest` octets: what is a name on the wire. */
export function checkName(name: string, value: string, longest: number = 255): string {
  if (typeof value === "string") {
    const { length } = encoder.encode(value);
    if (length > 0 && length <= longest) return value;
  }
  return refuse(name, value, `text of 1 to ${longest} octets`);
}

/** One endpoint or several. */
export function checkEndpoints(name: string, value: string | readonly string[]): string[] {
  const all = typeof value === "string" ? [value] : value;
  if (Array.isArray(all) && all.length > 0 && all.every((one) => typeof one === "string" && one)) {
    return [...all];
  }
  return refuse(name, value, "an endpoint, or a list of endpoints");
}

/** Says that an option cannot be right. */
export function refuse(name: string, value: unknown, wanted: string): never {
  const told = typeof value === "string" ? JSON.stringify(value.slice(0, 100)) : String(value);
  throw Object.assign(new TypeError(`${name} must be ${wanted}, not ${told}`), { code: "EINVAL" });
}

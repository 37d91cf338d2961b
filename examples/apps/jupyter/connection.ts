// The connection file: where a client expects the kernel's five sockets, and the key of their messages.

/** The sockets of a kernel. */
export type Channel = "shell" | "iopub" | "control" | "stdin" | "hb";

/** What the connection file says. */
export interface Connection {
  readonly endpoints: Readonly<Record<Channel, string>>;
  /** The key of the signatures; empty: messages are not signed. */
  readonly key: string;
  /** The digest of the signatures, as `node:crypto` calls it. */
  readonly digest: string;
}

const CHANNELS: readonly Channel[] = ["shell", "iopub", "control", "stdin", "hb"];
const LARGEST_PORT = 65_535;

/**
 * Reads the text of a connection file.
 *
 * @throws {TypeError} what is missing or wrong in it.
 */
export function parseConnection(text: string): Connection {
  const file = parseObject(text);
  const transport = file.transport ?? "tcp";
  if (transport !== "tcp" && transport !== "ipc") {
    throw new TypeError(
      `connection file: transport has to be "tcp" or "ipc", not ${show(transport)}`,
    );
  }
  const ip = string(file, "ip", transport === "tcp" ? "127.0.0.1" : undefined);
  const scheme = string(file, "signature_scheme", "hmac-sha256");
  if (!/^hmac-[a-z\d]+$/.test(scheme)) {
    throw new TypeError(`connection file: cannot sign with ${show(scheme)}, only with "hmac-…"`);
  }
  const endpoint = (channel: Channel): [Channel, string] => {
    const port = file[`${channel}_port`];
    if (!Number.isInteger(port) || Number(port) < 1 || Number(port) > LARGEST_PORT) {
      throw new TypeError(`connection file: ${channel}_port has to be a port, not ${show(port)}`);
    }
    const host = ip.includes(":") && !ip.startsWith("[") ? `[${ip}]` : ip;
    return [channel, transport === "tcp" ? `tcp://${host}:${port}` : `ipc://${ip}-${port}`];
  };
  return {
    endpoints: Object.fromEntries(CHANNELS.map(endpoint)) as Record<Channel, string>,
    key: string(file, "key", ""),
    digest: scheme.slice("hmac-".length),
  };
}

function parseObject(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new TypeError(`connection file: is not JSON: ${(error as Error).message}`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new TypeError(`connection file: has to be an object, not ${show(value)}`);
  }
  return value as Record<string, unknown>;
}

function string(file: Record<string, unknown>, name: string, otherwise?: string): string {
  const value = file[name] ?? otherwise;
  if (typeof value === "string") return value;
  throw new TypeError(`connection file: ${name} has to be text, not ${show(value)}`);
}

function show(value: unknown): string {
  return JSON.stringify(value) ?? String(value);
}

// In the thread of the cells: values as clients show them, and `display` and its relatives.

import { Buffer } from "node:buffer";
import { inspect } from "node:util";
import type { MimeBundle, Shown } from "./calls.ts";
import type { Output } from "./output.ts";

/** A method of this name gives a value's data by MIME type, as in Deno's own kernel. */
export const DISPLAY: unique symbol = Symbol.for("Jupyter.display") as never;

/** What `display` takes besides the value. */
export interface DisplayOptions {
  /** The value is data by MIME type already. */
  readonly raw?: boolean | undefined;
  /** For updates. */
  readonly display_id?: string | undefined;
  /** It replaces what was shown with this id. */
  readonly update?: boolean | undefined;
}

/** Something shown that can be replaced. */
export interface DisplayHandle {
  readonly id: string;
  update(value: unknown, options?: DisplayOptions): void;
}

/** Text, or a template with values in it. */
type Text = readonly [text: string | TemplateStringsArray, ...values: unknown[]];

/** A value that is shown as it says. */
class Displayable {
  readonly data: MimeBundle;

  constructor(data: MimeBundle) {
    this.data = data;
  }

  [DISPLAY](): MimeBundle {
    return this.data;
  }
}

/** Data of a value by MIME type; there is always text for those who can show nothing else. */
export async function show(value: unknown): Promise<Shown> {
  const own = ownDisplay(value);
  const data = own === undefined ? { "text/plain": plain(value) } : clean(await own.call(value));
  return { data, metadata: {} };
}

/** A value as text. */
export function plain(value: unknown): string {
  try {
    return inspect(value, { depth: 4, maxArrayLength: 100, maxStringLength: 100_000 });
  } catch (error) {
    return `[cannot be shown: ${error}]`;
  }
}

/** Makes `display` and its relatives, and tells when all that was shown is on its way. */
export class Displays {
  readonly #output: Output;
  readonly #fail: (error: unknown) => void;
  #last: Promise<void> | undefined;

  /** `fail` is told of values that cannot be shown. */
  constructor(output: Output, fail: (error: unknown) => void) {
    this.#output = output;
    this.#fail = fail;
  }

  /** Resolves when all that was shown is on its way. */
  async settled(): Promise<void> {
    for (let last = this.#last; last !== undefined; last = this.#last) {
      await last;
      if (this.#last === last) this.#last = undefined;
    }
  }

  /** The globals for cells. */
  globals(): Readonly<Record<string, unknown>> {
    const bundle = (type: string) => (...text: Text) => new Displayable({ [type]: join(text) });
    const makers = {
      html: bundle("text/html"),
      md: bundle("text/markdown"),
      markdown: bundle("text/markdown"),
      svg: bundle("image/svg+xml"),
      latex: bundle("text/latex"),
      json: (value: unknown) => new Displayable({ "application/json": value }),
      image: (octets: Uint8Array | string, type = "image/png") =>
        new Displayable({ [type]: typeof octets === "string" ? octets : base64(octets) }),
    };
    const display = (value: unknown, options: DisplayOptions = {}): DisplayHandle =>
      this.#display(value, options);
    const showing = Object.entries(makers).map(([name, make]) => [
      name,
      // deno-lint-ignore no-explicit-any
      (...args: any[]) => display((make as (...args: unknown[]) => unknown)(...args)),
    ]);
    const { html, md, svg } = makers;
    const clearOutput = (wait = false): void =>
      this.#output.send({ type: "clear", wait: Boolean(wait) });
    return {
      display: Object.assign(display, Object.fromEntries(showing)),
      html,
      md,
      svg,
      clearOutput,
    };
  }

  #display(value: unknown, options: DisplayOptions): DisplayHandle {
    const id = options.display_id ?? crypto.randomUUID();
    const shown = (data: MimeBundle): void => this.#send(data, id, options.update === true);
    const own = options.raw ? () => value as MimeBundle : ownDisplay(value);
    if (own === undefined) {
      shown({ "text/plain": plain(value) });
    } else {
      this.#later(() => own.call(value), shown);
    }
    return {
      id,
      update: (next, more = {}) =>
        void this.#display(next, { ...more, display_id: id, update: true }),
      // The last value of a cell is shown, but this has been.
      [DISPLAY]: () => ({}),
    } as DisplayHandle;
  }

  /** Shows at once what is known at once, unless something before it is not. */
  #later(make: () => unknown, shown: (data: MimeBundle) => void): void {
    try {
      const data = make();
      if (this.#last === undefined && !(data instanceof Promise)) {
        shown(clean(data));
        return;
      }
      const before = this.#last;
      this.#last = (async () => {
        await before;
        try {
          shown(clean(await data));
        } catch (error) {
          this.#fail(error);
        }
      })();
    } catch (error) {
      this.#fail(error);
    }
  }

  #send(data: MimeBundle, displayId: string, update: boolean): void {
    const size = JSON.stringify(data).length;
    this.#output.send({ type: "display", data, metadata: {}, displayId, update, size });
  }
}

function ownDisplay(value: unknown): (() => unknown) | undefined {
  if (typeof value !== "object" && typeof value !== "function" || value === null) return undefined;
  try {
    const method = (value as { [DISPLAY]?: unknown })[DISPLAY];
    return typeof method === "function" ? method as () => unknown : undefined;
  } catch {
    return undefined; // a proxy's trap, a getter
  }
}

/** What may be sent: octets as base64, and text for all but JSON. */
function clean(bundle: unknown): MimeBundle {
  if (typeof bundle !== "object" || bundle === null) {
    throw new TypeError(`Expected an object with data by MIME type, not ${plain(bundle)}`);
  }
  const entries = Object.entries(bundle).map(([type, data]) => {
    if (data instanceof Uint8Array) return [type, base64(data)];
    if (/[/+]json$/.test(type)) return [type, JSON.parse(JSON.stringify(data))];
    return [type, typeof data === "string" ? data : String(data)];
  });
  return Object.fromEntries(entries);
}

function base64(octets: Uint8Array): string {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength).toString("base64");
}

function join([text, ...values]: Text): string {
  return typeof text === "string" ? text : String.raw({ raw: text }, ...values);
}

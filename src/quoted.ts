// Text of a peer in a message of ours: one that looks like more lines of a log, or that commands a terminal, must not get out.

/** What JSON leaves as it is: DEL and the controls behind it, and two ends of lines. */
const CONTROLS = /[\x7f-\x9f\u2028\u2029]/g;

/** A text in quotes, with everything escaped that is not to be seen, and no more than `most` characters of it. */
export function quoted(text: string, most: number): string {
  return JSON.stringify(text.slice(0, most)).replace(
    CONTROLS,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

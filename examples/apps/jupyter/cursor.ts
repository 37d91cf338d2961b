// Clients count characters of Unicode, JavaScript counts units of UTF-16.

/** The cursor in UTF-16 units; the end when it is missing or beyond. */
export function utf16Offset(text: string, codePoints: unknown): number {
  if (typeof codePoints !== "number" || codePoints < 0) return text.length;
  let offset = 0;
  for (let i = 0; i < codePoints && offset < text.length; i++) {
    offset += text.codePointAt(offset)! > 0xffff ? 2 : 1;
  }
  return offset;
}

/** The cursor in Unicode characters. */
export function codePointOffset(text: string, utf16: number): number {
  return [...text.slice(0, utf16)].length;
}

// Markdown as `deno fmt` leaves it.

/** The width that prose is wrapped at. */
const LINE_WIDTH = 100;

/** A padded table. */
export function table(header: string[], body: string[][]): string {
  const lines = [header, ...body];
  const widths = header.map((_, column) =>
    Math.max(3, ...lines.map((cells) => cells[column].length))
  );
  const format = (cells: string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column])).join(" | ")} |`;
  const rule = `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`;
  return [format(header), rule, ...body.map(format)].join("\n");
}

/** Prose filled to the line width. */
export function wrap(text: string, indent = ""): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line && line.length + 1 + word.length > LINE_WIDTH) {
      lines.push(line);
      line = indent + word;
    } else {
      line = line ? `${line} ${word}` : word;
    }
  }
  return [...lines, line].join("\n");
}

// Reads TypeScript just well enough for the import-direction test: what is code, what is a comment
// or a string, and which modules a file imports.

/** One import or re-export. */
export interface ImportStatement {
  readonly specifier: string;
  /** Erased by the compiler. */
  readonly typeOnly: boolean;
}

const IMPORT =
  /(?<![\w$.])(?:import|export)(?<type>\s+type(?=\s+[\w$]+\s+from|\s*[{*]))?(?:\s+[\w$]+\s*,?)?(?:\s*\*\s*(?:as\s+[\w$]+)?|\s*\{[^}]*\})?\s*(?:\bfrom\b)?\s*["'](?<specifier>[^"']+)["']/g;
const DYNAMIC_IMPORT = /(?<![\w$.])import\s*\(\s*(?:["'](?<specifier>[^"']+)["']\s*\))?/g;

// What may come before a regular expression; a slash after anything else is a division.
const BEFORE_REGEXP =
  /(?:^|[=(,:;!&|?{}[\]+\-*%<>~^]|\b(?:return|typeof|case|in|of|do|else|void))\s*$/;

/** The imports of a file; `import(...)` of something computed has the specifier "". */
export function importsOf(source: string): ImportStatement[] {
  const text = blank(source, "comments");
  const found: ImportStatement[] = [];
  for (const { groups } of text.matchAll(IMPORT)) {
    found.push({ specifier: groups!.specifier, typeOnly: groups!.type !== undefined });
  }
  for (const { groups } of text.matchAll(DYNAMIC_IMPORT)) {
    found.push({ specifier: groups!.specifier ?? "", typeOnly: false });
  }
  return found;
}

/** The source with its comments, or its comments and literal texts, replaced by spaces. */
export function blank(source: string, what: "comments" | "comments and strings"): string {
  const strings = what !== "comments";
  let text = "";
  let at = 0;
  /** How many braces are open in the code inside each `${`. */
  const templates: number[] = [];

  const take = (end: number, keep: boolean): void => {
    const part = source.slice(at, end);
    text += keep ? part : part.replace(/[^\n]/g, " ");
    at = end;
  };
  const templateText = (): void => {
    let end = at;
    while (end < source.length && source[end] !== "`" && !source.startsWith("${", end)) {
      end += source[end] === "\\" ? 2 : 1;
    }
    take(end, !strings);
    if (source[at] === "`") return take(at + 1, true);
    take(at + 2, true);
    templates.push(0);
  };

  while (at < source.length) {
    const char = source[at];
    if (source.startsWith("//", at)) {
      const end = source.indexOf("\n", at);
      take(end < 0 ? source.length : end, false);
    } else if (source.startsWith("/*", at)) {
      const end = source.indexOf("*/", at + 2);
      take(end < 0 ? source.length : end + 2, false);
    } else if (char === '"' || char === "'") {
      take(endOfLiteral(source, at, char), !strings);
    } else if (char === "/" && BEFORE_REGEXP.test(text.slice(-40))) {
      take(endOfLiteral(source, at, "/"), !strings);
    } else if (char === "`") {
      take(at + 1, true);
      templateText();
    } else if (char === "}" && templates.at(-1) === 0) {
      templates.pop();
      take(at + 1, true);
      templateText();
    } else {
      if (char === "{" && templates.length > 0) templates[templates.length - 1]++;
      if (char === "}" && templates.length > 0) templates[templates.length - 1]--;
      take(at + 1, true);
    }
  }
  return text;
}

function endOfLiteral(source: string, start: number, quote: string): number {
  let inClass = false;
  for (let at = start + 1; at < source.length; at++) {
    const char = source[at];
    if (char === "\\") at++;
    else if (char === "\n") return at;
    else if (quote === "/" && char === "[") inClass = true;
    else if (quote === "/" && char === "]") inClass = false;
    else if (char === quote && !inClass) return at + 1;
  }
  return source.length;
}

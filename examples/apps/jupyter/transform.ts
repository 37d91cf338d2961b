// Makes a cell ready to be run as a script whose names stay: what it declares becomes variables of the global object,
// which later cells see and may declare again, and static imports become dynamic ones. Lines stay where they are.

import { closerOf, endsExpression, scan, type Token } from "./tokens.ts";

/** A cell that can be run. */
export interface Cell {
  /** A script with `await` at its top level. */
  readonly code: string;
  /** The global names that it declares. */
  readonly names: readonly string[];
  /** Those of them that are functions. */
  readonly functions: readonly string[];
}

/** The global function that stands for `import(…)`, and the object that stands for `import.meta`. */
export const IMPORT = "__jupyterImport";
export const IMPORT_META = "__jupyterMeta";

const DECLARATIONS = new Set(["const", "let", "var"]);
const AsyncFunction = (async () => {}).constructor as new (code: string) => unknown;

/** True when the code could be the body of an asynchronous function; nothing of it is run. */
export function compiles(code: string): boolean {
  return syntaxError(code) === undefined;
}

/** What is wrong with code as the body of an asynchronous function. */
export function syntaxError(code: string): Error | undefined {
  try {
    new AsyncFunction(code);
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

/** Rewrites a cell; what it does not understand stays as it is, for the runtime to complain about. */
export function transform(source: string): Cell {
  const { tokens } = scan(source);
  const edits = new Edits(source);
  const names = new Names();
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i];
    if (token.kind !== "name" || isProperty(tokens, i)) continue;
    if (token.text === "import" && tokens[i + 1]?.text === "(") {
      edits.replace(token, token, IMPORT);
    } else if (token.text === "import" && tokens[i + 2]?.text === "meta") {
      edits.replace(token, tokens[i + 2], IMPORT_META);
    } else if (token.depth === 0) {
      i = declaration(tokens, i, edits, names);
    }
  }
  return {
    code: asExpression(edits.apply()),
    names: [...names],
    functions: [...names.functions],
  };
}

/** Rewrites the declaration that begins here, if one does; the index of the last token that is dealt with. */
function declaration(
  tokens: readonly Token[],
  index: number,
  edits: Edits,
  names: Names,
  exported: boolean = false,
): number {
  const token = tokens[index];
  const next = tokens[index + 1];
  if (next === undefined) return index;
  if (DECLARATIONS.has(token.text) && beginsBinding(next)) {
    // As long as the word was, so that columns stay where they are.
    if (token.text !== "var") edits.replace(token, token, "var".padEnd(token.text.length));
    bindings(tokens, index + 1, names, token.text === "let" ? edits : undefined);
  } else if (token.text === "function") {
    const name = next.text === "*" ? tokens[index + 2] : next;
    const before = tokens[index - 1];
    const first = before?.text === "async" ? index - 1 : index;
    if (name?.kind === "name" && (exported || beginsStatement(tokens, first))) {
      names.add(name.text);
      names.functions.add(name.text);
    }
  } else if (!exported && !beginsStatement(tokens, index)) {
    return index;
  } else if (token.text === "class" && next.kind === "name") {
    return classDeclaration(tokens, index, edits, names);
  } else if (token.text === "import") {
    return importDeclaration(tokens, index, edits, names);
  } else if (token.text === "export" && next.kind === "name") {
    const last = next.text === "default" ? next : token;
    edits.replace(token, last, "");
    const first = last === next ? index + 2 : index + 1;
    const word = tokens[first]?.text === "async" ? first + 1 : first;
    return word < tokens.length ? declaration(tokens, word, edits, names, true) : index;
  }
  return index;
}

function beginsBinding(token: Token): boolean {
  return token.text === "{" || token.text === "[" ||
    token.kind === "name" && !["in", "instanceof", "of", "enum"].includes(token.text);
}

/** `class A {…}` becomes `var A = class A {…};`. */
function classDeclaration(
  tokens: readonly Token[],
  index: number,
  edits: Edits,
  names: Names,
): number {
  let body = index + 2;
  // A bracket after an operator belongs to the expression after `extends`.
  while (
    body < tokens.length &&
    !(tokens[body].text === "{" && tokens[body].depth === 0 && endsExpression(tokens[body - 1]) &&
      tokens[body - 1].text !== "extends")
  ) body++;
  if (body >= tokens.length) return index;
  const end = closerOf(tokens, body);
  if (end >= tokens.length) return index;
  names.add(tokens[index + 1].text);
  edits.insert(tokens[index].start, `var ${tokens[index + 1].text} = `);
  edits.insert(tokens[end].end, ";");
  return index;
}

/** Collects the names of a list of declarators. A `let` without a value gets one: it may have been declared before. */
function bindings(
  tokens: readonly Token[],
  index: number,
  names: Names,
  edits: Edits | undefined,
): void {
  for (let i = index; i < tokens.length; i++) {
    const simple = tokens[i].kind === "name";
    i = binding(tokens, i, names);
    if (simple && tokens[i]?.text !== "=") edits?.insert(tokens[i - 1].end, " = void 0");
    // On to the comma before the next one, or to the statement's end.
    for (; i < tokens.length; i++) {
      const token = tokens[i];
      if (token.depth > 0) continue;
      if (token.text === ",") break;
      if (token.text === ";") return;
      const starts = token.kind !== "punctuator" && token.kind !== "template" || token.text === "{";
      if (token.newLine && starts && endsExpression(tokens[i - 1])) return;
    }
  }
}

/** Collects the names of one name or pattern; the index after it. */
function binding(tokens: readonly Token[], index: number, names: Names): number {
  const token = tokens[index];
  if (token?.kind === "name") {
    names.add(token.text);
    return index + 1;
  }
  if (token?.text !== "{" && token?.text !== "[") return index + 1;
  const end = closerOf(tokens, index);
  const inside = token.depth + 1;
  for (let i = index + 1; i < end; i++) {
    if (tokens[i].text === ",") continue;
    if (tokens[i].text === "...") i++;
    // Of `key: pattern` only the pattern counts.
    if (token.text === "{") {
      const colon = tokens[i].text === "[" ? closerOf(tokens, i) + 1 : i + 1;
      if (tokens[colon]?.text === ":") i = colon + 1;
    }
    i = binding(tokens, i, names);
    while (i < end && !(tokens[i].text === "," && tokens[i].depth === inside)) i++;
  }
  return end + 1;
}

/** `import a, { b as c } from "m"` becomes `var { default: a, b: c } = await import("m")`. */
function importDeclaration(
  tokens: readonly Token[],
  index: number,
  edits: Edits,
  names: Names,
): number {
  let from = index + 1;
  while (from < tokens.length && tokens[from].kind !== "string") from++;
  // The strings within the braces are names.
  while (tokens[from]?.depth > 0) {
    from++;
    while (from < tokens.length && tokens[from].kind !== "string") from++;
  }
  const specifier = tokens[from];
  if (specifier === undefined) return index;
  let last = from;
  let options = "";
  if (tokens[from + 1]?.text === "with" && tokens[from + 2]?.text === "{") {
    last = closerOf(tokens, from + 2);
    if (last >= tokens.length) return index;
    options = `, { with: ${edits.source.slice(tokens[from + 2].start, tokens[last].end)} }`;
  }
  const call = `await ${IMPORT}(${specifier.text}${options})`;
  const clause = importClause(tokens.slice(index + 1, from));
  if (clause === undefined) return index;
  for (const name of clause.names) names.add(name);
  const pattern = clause.pattern && `{ ${clause.pattern} }`;
  const targets = [clause.namespace, pattern].filter((target) => target !== "");
  const code = targets.length === 0
    ? call
    : `var ${targets[0]} = ${call}${targets[1] ? `, ${targets[1]} = ${targets[0]}` : ""}`;
  const replaced = edits.source.slice(tokens[index].start, tokens[last].end);
  const semicolon = tokens[last + 1]?.text === ";" ? "" : ";";
  edits.replace(
    tokens[index],
    tokens[last],
    code + semicolon + "\n".repeat(replaced.split("\n").length - 1),
  );
  return last;
}

interface ImportClause {
  readonly namespace: string;
  readonly pattern: string;
  readonly names: readonly string[];
}

function importClause(tokens: readonly Token[]): ImportClause | undefined {
  const names: string[] = [];
  const pattern: string[] = [];
  let namespace = "";
  if (tokens.length > 0 && tokens.at(-1)?.text !== "from") return undefined;
  for (let i = 0; i < tokens.length - 1; i++) {
    const { text, kind } = tokens[i];
    if (text === "*") {
      namespace = tokens[i + 2].text;
      names.push(namespace);
      i += 2;
    } else if (text !== "{" && text !== "}" && text !== ",") {
      const inside = tokens[i].depth > tokens[0].depth || tokens[0].text === "{";
      const renamed = inside && tokens[i + 1]?.text === "as";
      const name = renamed ? tokens[i + 2].text : text;
      if (kind !== "name" && !renamed) return undefined;
      pattern.push(`${inside ? text : "default"}: ${name}`);
      names.push(name);
      if (renamed) i += 2;
    }
  }
  return { namespace, pattern: pattern.join(", "), names };
}

/** True when a statement begins with the token. */
function beginsStatement(tokens: readonly Token[], index: number): boolean {
  const before = tokens[index - 1];
  if (before === undefined || before.text === ";" || before.text === "}") return true;
  return tokens[index].newLine && endsExpression(before);
}

function isProperty(tokens: readonly Token[], index: number): boolean {
  const before = tokens[index - 1]?.text;
  return before === "." || before === "?.";
}

/** A cell that is nothing but an object is meant as one, not as a block with labels. */
function asExpression(code: string): string {
  if (!/^\s*\{/.test(code)) return code;
  const expression = `(${code.replace(/\s*;?\s*$/, "")}\n)`;
  return compiles(`return ${expression}`) ? expression : code;
}

/** The names that a cell declares. */
class Names extends Set<string> {
  readonly functions = new Set<string>();
}

/** Changes of a text, in order. */
class Edits {
  readonly source: string;
  readonly #edits: { start: number; end: number; text: string }[] = [];

  constructor(source: string) {
    this.source = source;
  }

  replace(first: Token, last: Token, text: string): void {
    this.#edits.push({ start: first.start, end: last.end, text });
  }

  insert(at: number, text: string): void {
    this.#edits.push({ start: at, end: at, text });
  }

  apply(): string {
    let text = "";
    let at = 0;
    for (const edit of this.#edits.sort((a, b) => a.start - b.start)) {
      text += this.source.slice(at, edit.start) + edit.text;
      at = edit.end;
    }
    return text + this.source.slice(at);
  }
}

// Cuts JavaScript into tokens: enough to find declarations, imports and open brackets, without a parser.

/** What a token is. A template literal gives one token for each of its text pieces. */
export type TokenKind = "name" | "number" | "string" | "template" | "regex" | "punctuator";

/** A piece of the source that is no space and no comment. */
export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  readonly start: number;
  readonly end: number;
  /** True when a line break is between it and the token before. */
  readonly newLine: boolean;
  /** How many brackets are open around it; a bracket itself counts as outside. */
  readonly depth: number;
}

/** A source's tokens, and how it ends. */
export interface Scan {
  readonly tokens: readonly Token[];
  /** `open`: a bracket, template or comment is still open. `broken`: no more text can mend it. */
  readonly state: "balanced" | "open" | "broken";
  /** How many brackets are open at the end. */
  readonly depth: number;
}

const SPACE = /[^\S\n\r\u2028\u2029]+/uy;
const LINE_BREAK = /[\n\r\u2028\u2029]+/uy;
const LINE_COMMENT = /\/\/.*|#!.*/uy;
const BLOCK_COMMENT = /\/\*[^]*?\*\//uy;
const NAME = /#?[\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*/uy;
const NUMBER =
  /0[xXbBoO][\da-fA-F_]+n?|(?:\d[\d_]*(?:\.[\d_]*)?|\.\d[\d_]*)(?:[eE][+-]?[\d_]+)?n?/uy;
const STRING = /"(?:[^"\\\n]|\\[^])*"|'(?:[^'\\\n]|\\[^])*'/uy;
const TEMPLATE_TEXT = /(?:[^`\\$]|\\[^]|\$(?!\{))*/uy;
const REGEX = /\/(?:[^/\\\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[\p{ID_Continue}]*/uy;
const PUNCTUATOR =
  />>>=|\.\.\.|===|!==|\*\*=|<<=|>>=|>>>|&&=|\|\|=|\?\?=|=>|==|!=|<=|>=|&&|\|\||\?\?|\?\.(?!\d)|\+\+|--|\+=|-=|\*=|\/=|%=|&=|\|=|\^=|<<|>>|\*\*|[^]/uy;

const CLOSERS: Readonly<Record<string, string>> = { "(": ")", "[": "]", "{": "}", "${": "}" };
/** After these words comes an expression, so a slash begins a regular expression. */
const BEFORE_EXPRESSION = new Set(
  "return typeof instanceof in of new delete void throw case do else await yield default".split(
    " ",
  ),
);

/** Cuts a source into tokens. */
export function scan(source: string): Scan {
  const tokens: Token[] = [];
  const open: string[] = [];
  let at = 0;
  let newLine = false;

  const match = (pattern: RegExp): boolean => {
    pattern.lastIndex = at;
    const found = pattern.test(source);
    if (found) end = pattern.lastIndex;
    return found;
  };
  const push = (kind: TokenKind): void => {
    const text = source.slice(at, end);
    tokens.push({ kind, text, start: at, end, newLine, depth: open.length });
    at = end;
    newLine = false;
  };
  const finish = (state: Scan["state"]): Scan => ({ tokens, state, depth: open.length });
  /** The text of a template up to its end or to the next `${`; false when it does not end. */
  const template = (): boolean => {
    const start = at++;
    match(TEMPLATE_TEXT);
    const closed = source[end] === "`";
    const code = source.startsWith("${", end);
    end = Math.min(source.length, end + (closed ? 1 : code ? 2 : 0));
    at = start;
    push("template");
    if (code) open.push("${");
    return closed || code;
  };

  let end = 0;
  while (at < source.length) {
    if (match(SPACE) || (at === 0 || source[at] === "/") && match(LINE_COMMENT)) {
      at = end;
    } else if (match(LINE_BREAK)) {
      at = end;
      newLine = true;
    } else if (match(BLOCK_COMMENT)) {
      newLine ||= source.slice(at, end).includes("\n");
      at = end;
    } else if (source.startsWith("/*", at)) {
      return finish("open");
    } else if (match(NAME)) {
      push("name");
    } else if (match(NUMBER)) {
      push("number");
    } else if (source[at] === '"' || source[at] === "'") {
      if (!match(STRING)) return finish("broken");
      push("string");
    } else if (source[at] === "`") {
      if (!template()) return finish("open");
    } else if (source[at] === "/" && beginsRegex(tokens.at(-1), newLine) && match(REGEX)) {
      push("regex");
    } else if (source[at] === "}" && open.at(-1) === "${") {
      open.pop();
      if (!template()) return finish("open");
    } else {
      match(PUNCTUATOR);
      const text = source.slice(at, end);
      if (text === ")" || text === "]" || text === "}") {
        const opener = open.pop();
        if (opener === undefined || CLOSERS[opener] !== text) return finish("broken");
      }
      push("punctuator");
      if (text in CLOSERS) open.push(text);
    }
  }
  return finish(open.length > 0 ? "open" : "balanced");
}

/** True when the token can be the last of an expression. */
export function endsExpression(token: Token | undefined): boolean {
  if (token === undefined) return false;
  if (token.kind === "punctuator") return /^(?:[)\]}]|\+\+|--)$/.test(token.text);
  if (token.kind === "template") return token.text.endsWith("`");
  return token.kind !== "name" || !BEFORE_EXPRESSION.has(token.text);
}

/** The index of the bracket that closes the one at `index`; the number of tokens when none does. */
export function closerOf(tokens: readonly Token[], index: number): number {
  const { depth } = tokens[index];
  for (let i = index + 1; i < tokens.length; i++) {
    if (tokens[i].depth === depth && tokens[i].text === CLOSERS[tokens[index].text]) return i;
  }
  return tokens.length;
}

function beginsRegex(before: Token | undefined, newLine: boolean): boolean {
  if (before?.text === "}" && newLine) return true;
  return !endsExpression(before);
}

// The files of the conformance suite, as the report and the test of its completeness read them. Runs on Deno.

import { idsInSource, type NotApplicable, type Section } from "./conformance.ts";

const TESTS = new URL("../", import.meta.url);
/** These name IDs without proving anything. */
const NO_PROOF = /^(?:_std\/|conformance\/(?:[^/]+\.json|report\.ts)$|_util\/conformance)/;
const IMPORT = /(?:from|import)\s*\(?\s*"(\.[^"]+)"/g;

/** The sections with their requirements. */
export const REQUIREMENTS: readonly Section[] = read("conformance/requirements.json");

/** The requirements that do not apply, with the reasons. */
export const NOT_APPLICABLE: NotApplicable = read("conformance/not_applicable.json");

/** The IDs that each test source and vector file names itself, by path below `tests/`. */
export function idsByFile(): Map<string, ReadonlySet<string>> {
  const found = new Map<string, ReadonlySet<string>>();
  for (const [path, source] of readSources()) found.set(path, new Set(idsInSource(source)));
  return found;
}

/** The test files that name one of the IDs, themselves or in what they import. */
export function testsNaming(ids: ReadonlySet<string>): string[] {
  const sources = readSources();
  const name = (path: string, seen: Set<string>): boolean => {
    const source = sources.get(path);
    if (source === undefined || seen.has(path)) return false;
    seen.add(path);
    return idsInSource(source).some((id) => ids.has(id)) ||
      importsOf(path, source).some((imported) => name(imported, seen));
  };
  return [...sources.keys()]
    .filter((path) => path.endsWith("_test.ts") && name(path, new Set()))
    .map((path) => `tests/${path}`)
    .sort();
}

function importsOf(path: string, source: string): string[] {
  const from = new URL(path, TESTS);
  return Array.from(source.matchAll(IMPORT), ([, specifier]) => {
    return new URL(specifier, from).href.slice(TESTS.href.length);
  });
}

function readSources(): Map<string, string> {
  const sources = new Map<string, string>();
  const visit = (folder: string): void => {
    for (const { name, isDirectory } of Deno.readDirSync(new URL(folder, TESTS))) {
      const path = `${folder}${name}`;
      if (isDirectory) visit(`${path}/`);
      else if (/\.(?:ts|json)$/.test(name) && !NO_PROOF.test(path)) {
        sources.set(path, Deno.readTextFileSync(new URL(path, TESTS)));
      }
    }
  };
  visit("");
  return sources;
}

function read<T>(path: string): T {
  return JSON.parse(Deno.readTextFileSync(new URL(path, TESTS)));
}

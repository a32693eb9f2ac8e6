import { readFileSync } from 'node:fs';
import { type Document, LineCounter, isMap, isNode, isScalar, parseDocument, visit } from 'yaml';

/** Something wrong in a file of a scenario, with its place. */
export interface Problem {
  readonly file: string;
  readonly line?: number | undefined;
  readonly text: string;
}

/** A YAML file and where everything in it stands. */
export interface YamlFile {
  readonly value: unknown;
  readonly problems: readonly Problem[];
  /** The line, from 1, of the value at a path, or of one key of the map at that path. */
  lineOf(path: readonly PropertyKey[], key?: string): number | undefined;
}

const asYaml = new Set(['matches', 'cancelAfter', 'status', 'body', 'twice']);

/**
 * Numbers and truth values become the text that was written, so that `001500` stays a time and 1.10 a version.
 * Only what is counted (`matches`, `cancelAfter`), a status, whose missing quotes the schema reports, what goes out as
 * JSON (`body`) and the settings of a site stay as YAML reads them.
 */
function keepAsWritten(document: Document): void {
  visit(document, {
    Pair: (_, pair, above) => {
      const key = isScalar(pair.key) ? pair.key.value : undefined;
      const isOfHead = above.length === 2;
      return typeof key === 'string' && (isOfHead ? key === 'settings' : asYaml.has(key)) ? visit.SKIP : undefined;
    },
    Scalar: (_, node) => {
      if (typeof node.value === 'number' || typeof node.value === 'boolean') node.value = node.source;
    },
  });
}

/** Reads a YAML file; what is not readable or not YAML is a problem, never an exception. */
export function readYamlFile(file: string): YamlFile {
  let source: string;
  try {
    source = readFileSync(file, 'utf8');
  } catch {
    return { value: undefined, problems: [{ file, text: 'the file cannot be read' }], lineOf: () => undefined };
  }
  const lines = new LineCounter();
  const document = parseDocument(source, { lineCounter: lines, prettyErrors: false });
  const problems = document.errors.map((error) => ({
    file,
    line: lines.linePos(error.pos[0]).line,
    text: error.message,
  }));
  keepAsWritten(document);
  const value: unknown = problems.length > 0 ? undefined : document.toJS();
  return { value, problems, lineOf: (path, key) => lineOf({ document, lines }, path, key) };
}

function lineOf(
  { document, lines }: { document: Document; lines: LineCounter },
  path: readonly PropertyKey[],
  key?: string,
): number | undefined {
  const node = path.length === 0 ? document.contents : document.getIn(path, true);
  const ofKey = isMap(node) ? node.items.find((pair) => isScalar(pair.key) && pair.key.value === key)?.key : undefined;
  const place = isNode(ofKey) ? ofKey : node;
  if (isNode(place) && place.range) return lines.linePos(place.range[0]).line;
  return path.length === 0 ? undefined : lineOf({ document, lines }, path.slice(0, -1));
}

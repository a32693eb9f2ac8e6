import { canEncode, isSupported as isSupportedSet, needsCharacterSet } from './charset.ts';
import { items } from './dataset.ts';
import type { Dataset, Value } from './dataset.ts';
import { NOT_KEYS, isSequence } from './worklist-keys.ts';

/**
 * The answer to a query: the requested keys and nothing else; what is not known comes back with zero length.
 * `readable` are the character set terms that the asker is known to read, whatever its query declares.
 */
export function answerFor(candidate: Dataset, identifier: Dataset, readable?: readonly string[]): Dataset {
  const answer = project(candidate, identifier);
  const terms = characterSetFor(answer, identifier, readable);
  return terms === undefined ? answer : { SpecificCharacterSet: terms, ...answer };
}

function project(candidate: Dataset, keys: Dataset): Dataset {
  const answer: Record<string, readonly Value[]> = {};
  for (const [keyword, values] of Object.entries(keys)) {
    const stored = candidate[keyword] ?? [];
    const isPrivate = /^[0-9A-F]{8}$/.test(keyword);
    // A private block is ours to leave out; (0008,0201) is never of zero length (PS3.3 C.12.1).
    if (isPrivate || keyword === 'SpecificCharacterSet' || (NOT_KEYS.has(keyword) && stored.length === 0)) continue;
    answer[keyword] = isSequence(keyword, values) ? projectItems(candidate, keyword, items(keys, keyword)[0]) : stored;
  }
  return answer;
}

// A sequence key of zero length, or with an item of zero length, asks for whole items (PS3.4 C.2.2.2.6).
function projectItems(candidate: Dataset, keyword: string, keys: Dataset | undefined): readonly Dataset[] {
  const stored = items(candidate, keyword);
  const isWhole = !keys || Object.keys(keys).length === 0;
  return isWhole ? stored : stored.map((item) => project(item, keys));
}

// The asker's set when it has all characters, UTF-8 when it does not; none for ASCII unless the key was sent.
function characterSetFor(
  answer: Dataset,
  identifier: Dataset,
  readable: readonly string[] | undefined,
): readonly string[] | undefined {
  const beyondAscii = textsBeyondAscii(answer);
  const terms = readable ?? identifierTerms(identifier);
  if (beyondAscii.length === 0) return identifier['SpecificCharacterSet'] && isSupportedSet(terms) ? terms : undefined;
  return terms.some((term) => term !== '') && canEncode(beyondAscii.join(''), terms) ? terms : ['ISO_IR 192'];
}

const identifierTerms = (identifier: Dataset): readonly string[] =>
  (identifier['SpecificCharacterSet'] ?? []).map(String);

function textsBeyondAscii(ds: Dataset, found: string[] = []): string[] {
  for (const values of Object.values(ds)) {
    for (const value of values) {
      if (typeof value === 'string') {
        if (needsCharacterSet(value)) found.push(value);
      } else if (typeof value === 'object' && !(value instanceof Uint8Array)) textsBeyondAscii(value, found);
    }
  }
  return found;
}

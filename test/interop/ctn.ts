import { join } from 'node:path';
import { type Call, installed, output, run, scratch } from './programs.ts';

/** CTN, the reference software of the first DICOM demonstrations; the last version is of 2003. */
export const ctn = {
  mwlQuery: installed('sh', '-c', 'command -v mwlQuery'),
  dcm_create_object: installed('sh', '-c', 'command -v dcm_create_object'),
} as const;

/** What `mwlQuery` has shown of an answer. */
export interface MwlAnswer {
  /** Of every response, the final one included: `ff00`, `0000`. */
  readonly statuses: readonly string[];
  /** The dump of each row: elements by tag, `0010 0010`, those of the step among them. */
  readonly rows: readonly Readonly<Record<string, string>>[];
}

function rowOf(dump: string): Record<string, string> {
  const elements = dump.matchAll(/^([0-9a-f]{4} [0-9a-f]{4}) .*?\/\/.*?\/\/(.*)$/gm);
  return Object.fromEntries([...elements].map(([, tag = '', value = '']) => [tag, value.trim()]));
}

function answerOf(text: string): MwlAnswer {
  const responses = text.split('CFind Response').slice(1);
  const statuses = responses.map((one) => /^Status:\s+([0-9a-f]{4})/m.exec(one)?.[1] ?? '');
  return { statuses, rows: responses.filter((_, at) => statuses[at]?.startsWith('ff')).map(rowOf) };
}

/**
 * A worklist query by CTN alone, Implicit VR only. Keys are lines as `dcm_create_object` reads them: tag and value, `#`
 * for no value, brackets around an item.
 */
export async function mwlQuery({ port, calling, called }: Call, keys: readonly string[]): Promise<MwlAnswer> {
  const folder = scratch();
  try {
    const file = join(folder.path, 'keys');
    await output('dcm_create_object', [file], keys.map((line) => `${line}\n`).join(''));
    const { stdout } = await run('mwlQuery', ['-a', calling, '-c', called, '-f', file, '127.0.0.1', String(port)]);
    return answerOf(stdout);
  } finally {
    folder.remove();
  }
}

/** The keys of a query for a patient name and a modality, with the identifiers that the answer is known by. */
export const nameAndModality = (name: string, modality: string): string[] => [
  '0008 0050 #',
  `0010 0010 ${name}`,
  '0010 0020 #',
  '0020 000D #',
  '0040 0100 (',
  `0008 0060 ${modality}`,
  '0040 0001 #',
  '0040 0009 #',
  ')',
  '0040 1001 #',
];

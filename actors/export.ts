import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { stringify } from 'yaml';
import { decodeDataset } from '../src/dicom/codec.ts';
import { toDicomJson } from '../src/dicom/dataset.ts';
import type { Config } from '../src/platform/config.ts';
import { createDisguise } from './disguise.ts';
import { type Captured, readCaptured } from './export-source.ts';
import { type WrittenStep, writeSteps } from './export-steps.ts';
import { describeProblem, loadScenario } from './lint.ts';
import type { HttpAddress } from './staff.ts';
import { UsageError } from './usage-error.ts';

interface ExportOptions {
  /** The folder that is made; it must not be there, or be empty. */
  readonly folder: string;
  readonly http: HttpAddress;
  readonly site: Config;
  /** By how many days dates, and birth dates, are moved. */
  readonly days: number;
  readonly birthDays: number;
  readonly signal: AbortSignal;
}

export interface Exported {
  readonly steps: number;
  readonly files: number;
  /** What is not in the scenario: a sentence each. */
  readonly remarks: readonly string[];
}

/**
 * Writes what happened to some procedures as a scenario in which nobody can be recognised: names, identifiers, birth
 * dates, addresses, phone numbers and free text are replaced, dates moved. Rejects with UsageError.
 */
export async function exportScenario(ids: readonly string[], options: ExportOptions): Promise<Exported> {
  const { folder, http, site, days, birthDays, signal } = options;
  if (existsSync(folder) && readdirSync(folder).length > 0) throw new UsageError([`${folder} is not empty`]);
  const captured = await readCaptured(ids, http, signal);
  const real = everythingSaid(captured);
  const disguise = createDisguise({ days, birthDays, isReal: (text) => real.includes(text.toUpperCase()) });
  const { steps, remarks } = writeSteps(captured, site, disguise);
  const lets = disguise.lets();
  mkdirSync(folder, { recursive: true });
  const files = steps.flatMap(({ file }) => file ?? []);
  for (const { name, content } of files) {
    writeFileSync(join(folder, name), typeof content === 'string' ? content : stringify(content));
  }
  const file = join(folder, 'scenario.yaml');
  writeFileSync(file, scenarioText(basename(folder), steps, lets));
  const { problems } = loadScenario(file);
  return { steps: steps.length + 1, files: files.length, remarks: [...remarks, ...problems.map(describeProblem)] };
}

/** Everything that was said, in capitals, to compare what is invented with. */
function everythingSaid({ messages }: Captured): string {
  const texts = messages.map(({ protocol, raw, transferSyntaxUid }) => {
    if (protocol === 'HL7') return raw;
    return JSON.stringify(toDicomJson(decodeDataset(Buffer.from(raw, 'base64'), transferSyntaxUid ?? '')));
  });
  return texts.join('\n').toUpperCase();
}

function scenarioText(name: string, steps: readonly WrittenStep[], lets: Readonly<Record<string, string>>): string {
  const transactions = [
    ...new Set(steps.flatMap(({ step }) => (typeof step['transaction'] === 'string' ? step['transaction'] : []))),
  ];
  const scenario = {
    scenario: name,
    title: 'What happened to an examination, as a server kept it',
    reference: transactions.map((transaction) => `IHE RAD TF-2 ${transaction}`),
    cast: [...new Set(steps.map(({ actor }) => actor))].filter((actor) => actor !== ''),
    let: lets,
    steps: [...steps.map(({ step }) => step), { step: 'Nobody hears anything more', quiet: '1s' }],
  };
  return stringify(scenario, { lineWidth: 110, defaultStringType: 'PLAIN' });
}

import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { settingsSchema } from '../src/platform/config-schema.ts';
import { nearest } from './nearest.ts';
import {
  type Scenario,
  type Settings,
  type Step,
  deedSchema,
  headSchema,
  stepSchemas,
  verbs,
  verbsOf,
} from './scenario.ts';
import { meaningProblems } from './lint-meaning.ts';
import { type Problem, type YamlFile, readYamlFile } from './yaml-file.ts';

export type { Problem } from './yaml-file.ts';

const scenarioFile = 'scenario.yaml';

/**
 * The scenario files at a path: the file itself, a folder's `scenario.yaml`, else those of the folders in it, by name.
 * An empty list means there is none.
 */
export function scenarioFilesAt(path: string): string[] {
  const full = resolve(path);
  if (!existsSync(full)) return [];
  if (!statSync(full).isDirectory()) return [full];
  const own = join(full, scenarioFile);
  if (existsSync(own)) return [own];
  const inside = readdirSync(full, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return inside
    .map((entry) => join(full, entry.name, scenarioFile))
    .filter((file) => existsSync(file))
    .sort();
}

/** A scenario, or what is wrong with it: every problem at once, each with its place. */
export function loadScenario(file: string): { scenario?: Scenario; problems: readonly Problem[] } {
  const yaml = readYamlFile(file);
  if (yaml.problems.length > 0) return { problems: yaml.problems };
  const head = headSchema.safeParse(yaml.value);
  const rawSteps = stepsOf(yaml.value);
  const steps = rawSteps.map((raw, index) => readStep({ file, yaml }, raw, index));
  const problems = [
    ...(head.success ? [] : issuesOf({ file, yaml }, head.error, [])),
    ...steps.flatMap((step) => step.problems),
  ];
  if (!head.success) return { problems };
  const folder = dirname(file);
  const valid = steps.flatMap(({ step }) => (step ? [step] : []));
  const settings = settingsOf(yaml.value, folder);
  const scenario: Scenario = { ...head.data, settings, name: basename(folder), folder, file, steps: valid };
  const numbered = steps.map(({ step }, index) => ({ step, raw: rawSteps[index], index }));
  const all = [...problems, ...meaningProblems({ scenario, yaml, numbered, readText })];
  return all.length > 0 ? { problems: all } : { scenario, problems: [] };
}

/** As written, for the schema fills in defaults, which would win over the site file. */
function settingsOf(value: unknown, folder: string): Settings | undefined {
  const { settings } = value as { settings?: Settings };
  const catalogue = settings?.['catalogue'];
  return typeof catalogue === 'string' ? { ...settings, catalogue: resolve(folder, catalogue) } : settings;
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

function stepsOf(value: unknown): readonly unknown[] {
  const steps = typeof value === 'object' && value !== null ? (value as { steps?: unknown }).steps : undefined;
  return Array.isArray(steps) ? steps : [];
}

interface Source {
  readonly file: string;
  readonly yaml: YamlFile;
}

function readStep(source: Source, raw: unknown, index: number): { step?: Step; problems: Problem[] } {
  const path = ['steps', index];
  const problem = (text: string, key?: string): { problems: Problem[] } => ({
    problems: [problemAt(source, path, { text, ...(key === undefined ? {} : { key }) })],
  });
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) return problem('a step is a map of keys');
  const used = verbsOf(raw);
  if (used.length > 1) return problem(`a step has one verb, this one has ${used.join(' and ')}`, used[1]);
  const verb = used[0];
  if (verb === undefined) return problem(...withoutVerb(raw));
  const parsed = stepSchemas[verb].safeParse(raw);
  if (!parsed.success) return { problems: issuesOf(source, parsed.error, path) };
  return { step: { verb, ...parsed.data } as Step, problems: [] };
}

/** Names the likely misspelt verb, when there is one. */
function withoutVerb(raw: object): [text: string, key?: string] {
  for (const key of Object.keys(raw).filter((one) => !stepKeys.includes(one))) {
    const meant = nearest(key, verbs);
    if (meant !== undefined) return [`Unrecognized key: "${key}" (did you mean ${meant}?)`, key];
  }
  return [`a step needs one verb: ${verbs.join(', ')}`];
}

function placeOf(path: readonly PropertyKey[]): string {
  return path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
    .join('')
    .replace(/^\./, '');
}

function problemAt(
  { file, yaml }: Source,
  path: readonly PropertyKey[],
  { text, key }: { text: string; key?: string },
): Problem {
  const step = path[0] === 'steps' && typeof path[1] === 'number' ? `step ${path[1] + 1}: ` : '';
  const at = path.length > 0 ? `  → at ${placeOf(path)}` : '';
  return { file, line: yaml.lineOf(path, key), text: `${step}${text}${at}` };
}

function issuesOf(source: Source, error: z.ZodError, prefix: readonly PropertyKey[]): Problem[] {
  return error.issues.flatMap((issue) => {
    const path = [...prefix, ...issue.path];
    if (issue.code !== 'unrecognized_keys') return problemAt(source, path, { text: issue.message });
    return issue.keys.map((key) => problemAt(source, path, { text: unrecognized(key, path), key }));
  });
}

const headKeys = Object.keys(headSchema.shape);
const stepKeys = [...new Set([...Object.values(stepSchemas), deedSchema].flatMap(({ shape }) => Object.keys(shape)))];

const settingKeys = [
  ...new Set(
    [
      ...JSON.stringify(z.toJSONSchema(settingsSchema, { io: 'input', unrepresentable: 'any' })).matchAll(/"(\w+)":{/g),
    ].flatMap(([, key = '']) => key),
  ),
];

function knownAt([first]: readonly PropertyKey[]): readonly string[] {
  if (first === undefined) return headKeys;
  return first === 'settings' ? settingKeys : stepKeys;
}

function unrecognized(key: string, path: readonly PropertyKey[]): string {
  const meant = nearest(key, knownAt(path));
  return `Unrecognized key: "${key}"${meant === undefined ? '' : ` (did you mean ${meant}?)`}`;
}

/** One line for a person: file, line, sentence. */
export function describeProblem({ file, line, text }: Problem): string {
  return `${file}${line === undefined ? '' : `:${line}`}  ${text}`;
}

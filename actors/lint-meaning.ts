import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { parsePlace } from '../src/hl7/message.ts';
import { catalogueProblems } from '../src/platform/config.ts';
import { nearest } from './nearest.ts';
import { dicomPlaceProblem, isKeyword, jsonPlaceProblem } from './places.ts';
import {
  type DatasetText,
  type Scenario,
  type Step,
  actorKinds,
  actorsOf,
  datasetOf,
  datasetSchema,
  kindOf,
  messagesOf,
} from './scenario.ts';
import { builtInNames, namesIn } from './template.ts';
import { type Problem, type YamlFile, readYamlFile } from './yaml-file.ts';

/** What the schemas cannot see: unknown names, use before capture, missing files, places that are none. */
interface Lint {
  readonly scenario: Scenario;
  readonly yaml: YamlFile;
  /** Every step of the file; without `step` when its form is wrong, which is reported already. */
  readonly numbered: readonly NumberedStep[];
  readonly readText: (file: string) => string | undefined;
}

interface NumberedStep {
  readonly step: Step | undefined;
  readonly raw: unknown;
  readonly index: number;
}

/** Every problem of meaning, in the order of the file. */
export function meaningProblems(lint: Lint): Problem[] {
  return [
    ...castProblems(lint),
    ...settingsProblems(lint),
    ...letProblems(lint),
    ...lint.numbered.flatMap(({ step, index }) => (step ? stepProblems(lint, step, index) : [])),
    ...listeningProblems(lint),
    ...answerProblems(lint),
    ...nameProblems(lint),
  ];
}

function at(lint: Lint, index: number, text: string, key?: string): Problem {
  return {
    file: lint.scenario.file,
    line: lint.yaml.lineOf(['steps', index], key),
    text: `step ${index + 1}: ${text}`,
  };
}

function castProblems({ scenario, yaml }: Lint): Problem[] {
  const twice = scenario.cast.filter((actor, index) => scenario.cast.indexOf(actor) !== index);
  const line = yaml.lineOf(['cast']);
  return twice.map((actor) => ({ file: scenario.file, line, text: `cast names ${actor} twice` }));
}

/** The catalogue of the settings stands beside the scenario. */
function settingsProblems({ scenario, yaml }: Lint): Problem[] {
  const catalogue = scenario.settings?.['catalogue'];
  if (typeof catalogue !== 'string') return [];
  const line = yaml.lineOf(['settings'], 'catalogue');
  return catalogueProblems(catalogue).map((text) => ({ file: scenario.file, line, text: `settings: ${text}` }));
}

function letProblems({ scenario, yaml }: Lint): Problem[] {
  const known = new Set<string>(builtInNames);
  const problems: Problem[] = [];
  for (const [name, text] of Object.entries(scenario.let)) {
    const say = (sentence: string): void => {
      problems.push({ file: scenario.file, line: yaml.lineOf(['let'], name), text: `let ${name}: ${sentence}` });
    };
    if ((builtInNames as readonly string[]).includes(name)) say('the name is built in');
    for (const used of namesIn(text)) if (!known.has(used.name)) say(`\${${used.name}} is not known above this line`);
    known.add(name);
  }
  return problems;
}

function stepProblems(lint: Lint, step: Step, index: number): Problem[] {
  return [
    ...actorProblems(lint, step, index),
    ...placeProblems(step).map(({ text, key }) => at(lint, index, text, key)),
    ...fileProblems(lint, step, index),
  ];
}

function actorProblems(lint: Lint, step: Step, index: number): Problem[] {
  return actorsOf(step).flatMap((actor) => {
    const kind = kindOf(actor);
    if (kind === undefined) return [];
    if (!lint.scenario.cast.includes(actor)) return [at(lint, index, `${actor} is not in the cast`)];
    const can: readonly string[] = actorKinds[kind].can;
    if (can.includes(step.verb)) return [];
    return [at(lint, index, `${actor} cannot ${step.verb}: an actor of its kind can ${can.join(', ')}`, step.verb)];
  });
}

/** What an actor cannot do because it already is, or does not listen. */
function listeningProblems(lint: Lint): Problem[] {
  const away = new Set<string>();
  return lint.numbered.flatMap(({ step, index }) => {
    if (step?.verb === 'online') {
      if (away.delete(step.online)) return [];
      return [
        at(lint, index, `${step.online} is online already: no step above takes it offline or kills it`, 'online'),
      ];
    }
    if (step?.verb !== 'offline' && step?.verb !== 'killed') return [];
    const [actor = ''] = actorsOf(step);
    if (away.has(actor)) return [at(lint, index, `${actor} does not listen already`, step.verb)];
    away.add(actor);
    return [];
  });
}

/** A DIMSE status is an answer of actors that listen for DICOM. */
function answerProblems(lint: Lint): Problem[] {
  return lint.numbered.flatMap(({ step, index }) => {
    if (step?.verb !== 'answers') return [];
    const deaf = Object.entries(step.answers).filter(([actor, { how }]) => how === 'status' && kindOf(actor) !== 'IM');
    return deaf.map(([actor]) =>
      at(lint, index, `${actor} is not asked by DICOM: it answers AE, AR, late, lost`, 'answers'),
    );
  });
}

interface PlaceProblem {
  readonly text: string;
  readonly key: string;
}

function placeProblems(step: Step): PlaceProblem[] {
  const problemOf = placeRuleOf(step);
  const check = (places: readonly string[], key: string): PlaceProblem[] =>
    places.flatMap((place) => {
      const text = problemOf(place);
      return text === undefined ? [] : [{ text, key }];
    });
  if (step.verb === 'send') {
    const each = (step.acks ?? []).flatMap(keys);
    return [...check(keys(step.ack), 'ack'), ...check(each, 'acks'), ...check(values(step.capture), 'capture')];
  }
  if (step.verb === 'do') return [...check(keys(step.do.expect), 'do'), ...check(values(step.do.capture), 'do')];
  if (!('expect' in step) && !('capture' in step)) return [];
  return [...check(keys(step.expect), 'expect'), ...check(values(step.capture), 'capture')];
}

/** How places are written on the wire of a step. */
function placeRuleOf(step: Step): (place: string) => string | undefined {
  if (step.verb === 'do') return jsonPlaceProblem;
  const isHl7 = step.verb === 'send' || (step.verb === 'receive' && step.receive.includes('^'));
  return isHl7 ? hl7PlaceProblem : dicomPlaceProblem;
}

function hl7PlaceProblem(place: string): string | undefined {
  return parsePlace(place) ? undefined : `${place} is not a place: write it like ORC-2.1, OBR[2]-18 or PID-3(2).4.1`;
}

const keys = (map: object | undefined): string[] => Object.keys(map ?? {});
const values = (map: Readonly<Record<string, string>> | undefined): string[] => Object.values(map ?? {});

function fileProblems(lint: Lint, step: Step, index: number): Problem[] {
  if (step.verb === 'send') return messagesOf(step).flatMap((file) => missingFile(lint, index, file));
  if (step.verb === 'get' && step.get !== 'all')
    return unknownKeywords(step.get).map((text) => at(lint, index, text, 'get'));
  const dataset = datasetOf(step);
  if (dataset === undefined) return [];
  if (typeof dataset !== 'string') return keywordProblems(dataset).map((text) => at(lint, index, text, step.verb));
  return [...missingFile(lint, index, dataset), ...datasetFileProblems(resolve(lint.scenario.folder, dataset))];
}

function missingFile(lint: Lint, index: number, file: string): Problem[] {
  const path = resolve(lint.scenario.folder, file);
  const there = existsSync(path) && statSync(path).isFile();
  return there ? [] : [at(lint, index, `there is no file ${file}`)];
}

function datasetFileProblems(file: string): Problem[] {
  if (!existsSync(file)) return [];
  const yaml = readYamlFile(file);
  if (yaml.problems.length > 0) return [...yaml.problems];
  const parsed = datasetSchema.safeParse(yaml.value);
  if (!parsed.success) return [{ file, text: 'a dataset is a map of DICOM keywords to values' }];
  return keywordProblems(parsed.data).map((text) => ({ file, text }));
}

function unknownKeywords(keywords: readonly string[]): string[] {
  return keywords.filter((keyword) => !isKeyword(keyword)).map((keyword) => `${keyword} is not a DICOM keyword`);
}

function keywordProblems(dataset: DatasetText): string[] {
  return Object.entries(dataset).flatMap(([keyword, value]) => {
    const own = unknownKeywords([keyword]);
    const list: readonly unknown[] = Array.isArray(value) ? value : [value];
    const inside = list.filter((item): item is DatasetText => typeof item === 'object' && item !== null);
    return [...own, ...inside.flatMap(keywordProblems)];
  });
}

/** The names a step and its files use, each with the file it stands in. */
function namesUsed(lint: Lint, step: Step): { name: string; file: string | undefined }[] {
  const own = Object.entries(step)
    .filter(([key]) => !['step', 'transaction', 'capture'].includes(key))
    .flatMap(([, value]) => namesIn(JSON.stringify(value)));
  const dataset = datasetOf(step);
  const files = step.verb === 'send' ? messagesOf(step) : typeof dataset === 'string' ? [dataset] : [];
  const inFiles = files.flatMap((file) => {
    const text = lint.readText(resolve(lint.scenario.folder, file)) ?? '';
    return namesIn(text).map(({ name }) => ({ name, file }));
  });
  return [...own.map(({ name }) => ({ name, file: undefined })), ...inFiles];
}

function capturesOf(raw: unknown): string[] {
  if (typeof raw !== 'object' || raw === null) return [];
  const { capture, do: deed } = raw as { capture?: unknown; do?: unknown };
  return typeof capture === 'object' && capture !== null ? Object.keys(capture) : capturesOf(deed);
}

function nameProblems(lint: Lint): Problem[] {
  const everCaptured = lint.numbered.flatMap(({ raw }) => capturesOf(raw));
  const known = new Set<string>([...builtInNames, ...Object.keys(lint.scenario.let)]);
  const problems: Problem[] = [];
  for (const { step, raw, index } of lint.numbered) {
    const told = new Set<string>();
    for (const { name, file } of step ? namesUsed(lint, step) : []) {
      if (known.has(name) || told.has(`${name} ${file}`)) continue;
      told.add(`${name} ${file}`);
      const where = file === undefined ? '' : ` (in ${file})`;
      problems.push(at(lint, index, `${unknownName(name, everCaptured, [...known])}${where}`));
    }
    capturesOf(raw).forEach((name) => known.add(name));
  }
  return problems;
}

function unknownName(name: string, everCaptured: readonly string[], known: readonly string[]): string {
  if (everCaptured.includes(name)) return `\${${name}} is used before it is captured`;
  const meant = nearest(name, known);
  return `\${${name}} is not known: neither in let nor captured${meant === undefined ? '' : ` (did you mean ${meant}?)`}`;
}

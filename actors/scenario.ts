import { z } from 'zod';
import { settingsSchema } from '../src/platform/config-schema.ts';
import { rejectionNames } from './association.ts';
import { behaviourUsage, parseBehaviour } from './behaviours.ts';
import { durationUsage, parseDuration } from './duration.ts';
import type { Check } from './checks.ts';
import { expand } from './template.ts';

/** The scenario format as zod schemas: one for the head, one for each verb, all strict, so that a typo is a mistake. */

/** A text of a form of its own, as what it stands for. */
function written<T>(parse: (text: string) => T | undefined, message: string) {
  return z.string({ error: message }).transform((text, context): T => {
    const parsed = parse(text);
    if (parsed !== undefined) return parsed;
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });
}

const duration = written(parseDuration, durationUsage);
const behaviour = written(parseBehaviour, behaviourUsage);

const sentence = z.string().min(1, 'a sentence is missing');
const nameRule = /^[A-Za-z][A-Za-z0-9]*$/;
const name = z.string().regex(nameRule, 'a name is letters and digits and begins with a letter');
const file = z.string().min(1, 'the name of a file is missing');

/** The simulated actors by kind: what a name in `cast` begins with, and what such an actor can do. */
export const actorKinds = {
  ADT: { can: ['send'] },
  OP: { can: ['send', 'receive', 'answers', 'offline', 'killed', 'online'] },
  IM: {
    can: [
      'send',
      'receive',
      'create',
      'set',
      'store',
      'notify',
      'get',
      'echo',
      'answers',
      'offline',
      'killed',
      'online',
    ],
  },
  RM: { can: ['send', 'receive', 'answers', 'offline', 'killed', 'online'] },
  MOD: { can: ['find', 'create', 'set', 'get', 'echo'] },
} as const satisfies Record<string, { can: readonly Verb[] }>;

export type ActorKind = keyof typeof actorKinds;

/** `OP_B` and `MOD2` are an Order Placer and a modality; undefined when the name is of no kind. */
export function kindOf(actor: string): ActorKind | undefined {
  const prefix = /^[A-Z]+/.exec(actor)?.[0];
  return (Object.keys(actorKinds) as ActorKind[]).find((kind) => kind === prefix);
}

const actor = z
  .string()
  .regex(/^[A-Z]+(_?[A-Z0-9]+)*$/, 'an actor is named in capitals: ADT, OP, IM, RM, MOD, OP_B')
  .refine((text) => kindOf(text) !== undefined, 'an actor is an ADT, OP, IM, RM or MOD (OF is never in the cast)');

/** The Order Filler itself, where the player has started it: it can be killed, and started again. */
const killable = z.union([z.literal('OF'), actor]);

/** Whatever a name stands for is put in as text, so any text in its place tells whether the rest is well formed. */
const regularExpression = z.string().refine((text) => {
  try {
    new RegExp(
      expand(text, () => 'x'),
      'u',
    );
    return true;
  } catch {
    return false;
  }
}, 'not a regular expression');

const check: z.ZodType<Check> = z.union(
  [
    z.string(),
    z.null(),
    z.strictObject({ oneOf: z.array(z.string()).min(1) }),
    z.strictObject({ matches: regularExpression }),
  ],
  { error: "expected a text, '*', nothing, { oneOf: [...] } or { matches: regular expression }" },
);

const checks = z.record(z.string(), check);
const capture = z.record(name, z.string());

/** A dataset by keyword: text, list of texts, sequence of datasets; nothing is a zero-length element. */
export type DatasetText = { readonly [keyword: string]: DatasetValue };
export type DatasetValue = string | null | DatasetText | readonly DatasetValue[];

const datasetValue: z.ZodType<DatasetValue> = z.lazy(() =>
  z.union([z.string(), z.null(), z.array(datasetValue), z.record(z.string(), datasetValue)], {
    error: 'expected a text, a list, a dataset or nothing',
  }),
);

/** A whole dataset, as a file has it. */
export const datasetSchema: z.ZodType<DatasetText> = z.record(z.string(), datasetValue);

const datasetOrFile = z.union([file, datasetSchema], { error: 'expected a dataset or the name of a dataset file' });
const dimseStatus = z
  .string({ error: (issue) => `expected four hexadecimal digits in quotes, received ${typeof issue.input}` })
  .regex(/^[0-9A-Fa-f]{4}$/, "a status is four hexadecimal digits in quotes: '0000'");

const pendingStatus = z
  .string({ error: 'a match comes with FF00 or FF01' })
  .regex(/^[Ff]{2}0[01]$/, 'a match comes with FF00 or FF01');

/** How an actor asks for an association, and whether it gets one. */
const association = {
  called: z.string().min(1, 'called is an AE title').optional(),
  rejected: z.enum(rejectionNames, { error: `rejected is one of ${rejectionNames.join(', ')}` }).optional(),
};

const httpPath = z
  .string()
  .regex(/^\/\S*$/, 'a path begins with a slash: /api/procedures/${requestedProcedureId}/cancel');

/** What must come of a request by DICOM. */
const answered = { status: dimseStatus.optional(), expect: checks.optional(), capture: capture.optional() };

const common = {
  step: sentence,
  transaction: z
    .string()
    .regex(/^[A-Z]+-\d+$/, 'a transaction is named like RAD-4')
    .optional(),
};

/** What a person does at the Order Filler: a sentence, and the HTTP request that does it at ours. */
export const deedSchema = z
  .strictObject({
    say: sentence,
    post: httpPath.optional(),
    get: httpPath.optional(),
    body: z.record(z.string(), z.json()).optional(),
    status: z.int({ error: 'an HTTP status is a number: 200' }).min(200).max(599).optional(),
    expect: checks.optional(),
    capture: capture.optional(),
  })
  .refine(({ post, get }) => (post === undefined) !== (get === undefined), 'say either post: /api/... or get: /api/...')
  .refine(({ get, body }) => get === undefined || body === undefined, 'get takes no body');

/** What a step with each verb may say; the linter picks the schema by the verb, so that a typo is named where it is. */
export const stepSchemas = {
  send: z
    .strictObject({
      ...common,
      from: actor,
      send: z.union([file, z.array(file).min(2, 'a list has two files or more')], {
        error: 'expected the name of a file, or a list of two and more',
      }),
      together: z.enum(['packet', 'connections'], { error: 'together is packet or connections' }).optional(),
      twice: z.literal(true, { error: 'twice is true, or is left out' }).optional(),
      split: z.enum(['bytes', 'segments'], { error: 'split is bytes or segments' }).optional(),
      ack: checks.optional(),
      acks: z.array(checks).optional(),
      capture: capture.optional(),
    })
    .refine(
      ({ send, together }) => Array.isArray(send) === (together !== undefined),
      'a list of files says how they travel, and only a list: together: packet or connections',
    )
    .refine(
      ({ send, twice, split, capture: kept }) => !Array.isArray(send) || (twice ?? split ?? kept) === undefined,
      'a list of files has neither twice nor split nor capture',
    )
    .refine(
      ({ send, ack, acks }) => acks === undefined || (ack === undefined && acks.length === [send].flat().length),
      'acks has an entry for each file of a list, and takes the place of ack',
    ),
  receive: z.strictObject({
    ...common,
    to: actor,
    receive: z.string().regex(/^([A-Z]{3}\^[A-Z0-9]{3}(\^[A-Z0-9_]{1,10})?|N-CREATE|N-SET|C-FIND)$/, {
      error: 'receive names a message type (ORM^O01) or N-CREATE, N-SET, C-FIND',
    }),
    within: duration.optional(),
    expect: checks.optional(),
    capture: capture.optional(),
  }),
  find: z.strictObject({
    ...common,
    from: actor,
    find: datasetOrFile,
    cancelAfter: z.int().min(0).optional(),
    ...association,
    status: dimseStatus.optional(),
    pending: pendingStatus.optional(),
    matches: z.int().min(0).optional(),
    expect: checks.optional(),
    capture: capture.optional(),
  }),
  create: z.strictObject({
    ...common,
    from: actor,
    create: datasetOrFile,
    uid: z.string().min(1).optional(),
    ...answered,
  }),
  set: z.strictObject({
    ...common,
    from: actor,
    set: datasetOrFile,
    uid: z.string().min(1, 'uid says which performed step'),
    ...answered,
  }),
  get: z.strictObject({
    ...common,
    from: actor,
    get: z.union([z.literal('all'), z.array(z.string()).min(1)], { error: 'expected all, or a list of keywords' }),
    uid: z.string().min(1, 'uid says which performed step'),
    ...answered,
  }),
  echo: z.strictObject({ ...common, from: actor, echo: z.literal('OF', { error: 'expected OF' }), ...association }),
  store: z.strictObject({ ...common, to: actor, store: datasetOrFile }),
  notify: z.strictObject({ ...common, from: actor, notify: datasetOrFile, status: dimseStatus.optional() }),
  do: z.strictObject({ ...common, do: deedSchema }),
  answers: z.strictObject({
    ...common,
    answers: z
      .record(actor, behaviour)
      .refine((all) => Object.keys(all).length > 0, 'say which actor: { OP: late 3s }'),
  }),
  offline: z.strictObject({ ...common, offline: actor }),
  killed: z.strictObject({ ...common, killed: killable }),
  online: z.strictObject({ ...common, online: killable }),
  quiet: z.strictObject({ ...common, quiet: duration }),
} as const;

export type Verb =
  | 'send'
  | 'receive'
  | 'find'
  | 'create'
  | 'set'
  | 'get'
  | 'echo'
  | 'store'
  | 'notify'
  | 'do'
  | 'answers'
  | 'offline'
  | 'killed'
  | 'online'
  | 'quiet';
export const verbs = Object.keys(stepSchemas) as Verb[];

export type StepOf<V extends Verb> = z.infer<(typeof stepSchemas)[V]>;
export type Step = { [V in Verb]: { verb: V } & StepOf<V> }[Verb];

/** The verbs among the keys of a step. */
export function verbsOf(step: object): Verb[] {
  return verbs.filter((verb) => verb in step);
}

/** Everything above the steps. */
export const headSchema = z.strictObject({
  scenario: z.string().min(1),
  title: sentence,
  profile: z.string().optional(),
  reference: z.array(z.string()).default([]),
  cast: z.array(actor).min(1),
  within: duration.prefault('15s'),
  settings: settingsSchema.optional(),
  let: z.record(name, z.string()).default({}),
  steps: z.array(z.unknown()).min(1, 'a scenario has steps'),
});

/** A piece of a site file as it is written: without the defaults. */
export type Settings = Readonly<Record<string, unknown>>;

/** A scenario as it is played. */
export interface Scenario extends Omit<z.infer<typeof headSchema>, 'steps' | 'settings'> {
  /** What is laid over the site file for it; a catalogue is an absolute path. */
  readonly settings?: Settings | undefined;
  /** The folder's name: `01-simple-case`. */
  readonly name: string;
  readonly folder: string;
  readonly file: string;
  readonly steps: readonly Step[];
}

/** The actors who do the step, or to whom it happens; none for `do` and `quiet`. */
export function actorsOf(step: Step): readonly string[] {
  switch (step.verb) {
    case 'receive':
    case 'store':
      return [step.to];
    case 'answers':
      return Object.keys(step.answers);
    case 'offline':
      return [step.offline];
    case 'killed':
      return [step.killed];
    case 'online':
      return [step.online];
    case 'do':
    case 'quiet':
      return [];
    default:
      return [step.from];
  }
}

/** The message files of a step, in their order. */
export function messagesOf({ send }: Pick<StepOf<'send'>, 'send'>): readonly string[] {
  return typeof send === 'string' ? [send] : send;
}

/** The dataset or dataset file of a step; undefined for verbs without one. */
export function datasetOf(step: Step): DatasetText | string | undefined {
  if (step.verb === 'find') return step.find;
  if (step.verb === 'create') return step.create;
  if (step.verb === 'set') return step.set;
  if (step.verb === 'store') return step.store;
  return step.verb === 'notify' ? step.notify : undefined;
}

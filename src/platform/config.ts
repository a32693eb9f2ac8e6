import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseDocument } from 'yaml';
import { z } from 'zod';
import { type Catalogue, catalogueSchema } from './catalogue-schema.ts';
import { type Site, siteSchema } from './config-schema.ts';
import type { LogLevel } from './log.ts';

export type { Site } from './config-schema.ts';
export type { Catalogue } from './catalogue-schema.ts';

/** Everything that the program is told from outside, checked and frozen. */
export interface Config extends Omit<Site, 'catalogue'> {
  /** The site file that was read; undefined when there is none and the defaults hold. */
  readonly file: string | undefined;
  /** The embedded database and transcripts live below it. */
  readonly dataDir: string;
  /** `postgresql://...`; undefined means the embedded database. */
  readonly databaseUrl: string | undefined;
  /** Where PostgreSQL's programs are, instead of those from npm. */
  readonly postgresBinDir: string | undefined;
  readonly apiToken: string | undefined;
  readonly logLevel: LogLevel;
  readonly catalogue: Catalogue;
  /** Settings that are accepted and have no effect in this version, with the reason. */
  readonly unused: readonly string[];
}

export interface ConfigInput {
  /** `--config`; else `SWF_CONFIG`; else `./swf.yaml` when there is one. */
  readonly file?: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly workingDirectory: string;
}

/** Every problem of the configuration at once, each with its place. */
export class ConfigError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

/** The values of an `.yaml` file; a syntax error becomes a problem with line and column. */
function readYaml(path: string, problems: string[]): unknown {
  let source: string;
  try {
    source = readFileSync(path, 'utf8');
  } catch {
    problems.push(`${path}: cannot be read`);
    return undefined;
  }
  const document = parseDocument(source, { prettyErrors: true });
  for (const error of document.errors) problems.push(`${path}: ${error.message.split('\n')[0] ?? 'not YAML'}`);
  return document.errors.length > 0 ? undefined : (document.toJS() as unknown);
}

function describeIssues(file: string, error: z.ZodError): string[] {
  return error.issues.map((issue) => {
    const place = issue.path.map(String).join('.');
    return place ? `${file}: ${place}: ${issue.message}` : `${file}: ${issue.message}`;
  });
}

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

const environmentPort = z
  .string()
  .regex(/^\d{1,5}$/, 'a port is a whole number from 0 to 65535')
  .transform(Number)
  .refine((port) => port <= 65_535, 'a port is a whole number from 0 to 65535');

const environmentSchema = z.object({
  SWF_HOST: z.string().min(1).optional(),
  SWF_HL7_PORT: environmentPort.optional(),
  SWF_DICOM_PORT: environmentPort.optional(),
  SWF_HTTP_PORT: environmentPort.optional(),
  PG_BIN: z.string().min(1).optional(),
  SWF_DATA_DIR: z.string().min(1).optional(),
  DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\//, 'must begin with postgresql://')
    .optional(),
  SWF_API_TOKEN: z.string().min(8, 'a token has at least 8 characters').optional(),
  SWF_API_TOKEN_FILE: z.string().min(1).optional(),
  SWF_LOG_LEVEL: z.enum(logLevels).default('info'),
});

type Environment = z.infer<typeof environmentSchema>;

/** Variable by variable, so that one mistake does not hide another. */
function readEnvironment(environment: ConfigInput['environment'], problems: string[]): Environment {
  const read: Record<string, unknown> = {};
  for (const [name, schema] of Object.entries(environmentSchema.shape)) {
    // An empty variable is what a shell or a compose file leaves when a value is not set.
    const parsed = schema.safeParse(environment[name] || undefined);
    if (parsed.success) read[name] = parsed.data;
    else problems.push(...parsed.error.issues.map((issue) => `environment: ${name}: ${issue.message}`));
  }
  return { SWF_LOG_LEVEL: 'info', ...read };
}

/** The environment wins over the file: its ports and host are put into the file's values before they are checked. */
function withEnvironment(values: unknown, environment: Environment): unknown {
  const site =
    typeof values === 'object' && values !== null ? { ...(values as Record<string, unknown>) } : (values ?? {});
  if (typeof site !== 'object' || Array.isArray(site)) return site;
  const listeners = {
    hl7: environment.SWF_HL7_PORT,
    dicom: environment.SWF_DICOM_PORT,
    http: environment.SWF_HTTP_PORT,
  };
  for (const [name, port] of Object.entries(listeners)) {
    const section = (site as Record<string, unknown>)[name] ?? {};
    if (typeof section !== 'object' || section === null) continue;
    (site as Record<string, unknown>)[name] = {
      ...section,
      ...(port === undefined ? {} : { port }),
      ...(environment.SWF_HOST === undefined ? {} : { host: environment.SWF_HOST }),
    };
  }
  return site;
}

function siteFileOf(input: ConfigInput, problems: string[]): string | undefined {
  const named = input.file ?? (input.environment['SWF_CONFIG'] || undefined);
  if (named !== undefined) {
    const path = resolve(input.workingDirectory, named);
    if (!existsSync(path)) problems.push(`${path}: there is no such file (--config or SWF_CONFIG names it)`);
    return path;
  }
  const usual = resolve(input.workingDirectory, 'swf.yaml');
  return existsSync(usual) ? usual : undefined;
}

/** A text in values that are not checked yet: also where other keys are wrong, every problem is told at once. */
function textIn(values: unknown, ...path: string[]): string | undefined {
  let value = values;
  for (const key of path) value = (value as Record<string, unknown> | null | undefined)?.[key];
  return typeof value === 'string' ? value : undefined;
}

function readCatalogue(named: string | undefined, file: string | undefined, problems: string[]): Catalogue {
  if (named === undefined) return [];
  const path = resolve(file === undefined ? '.' : dirname(file), named);
  const values = readYaml(path, problems);
  if (values === undefined) return [];
  const parsed = catalogueSchema.safeParse(values);
  if (parsed.success) return parsed.data;
  problems.push(...describeIssues(path, parsed.error));
  return [];
}

/** What is wrong with a catalogue file; nothing when it can be used. */
export function catalogueProblems(path: string): readonly string[] {
  const problems: string[] = [];
  readCatalogue(path, undefined, problems);
  return problems;
}

function readToken(environment: Environment, input: ConfigInput, problems: string[]): string | undefined {
  if (environment.SWF_API_TOKEN !== undefined) return environment.SWF_API_TOKEN;
  if (environment.SWF_API_TOKEN_FILE === undefined) return undefined;
  try {
    const token = readFileSync(resolve(input.workingDirectory, environment.SWF_API_TOKEN_FILE), 'utf8').trim();
    if (token.length < 8) problems.push('environment: SWF_API_TOKEN_FILE: a token has at least 8 characters');
    return token;
  } catch {
    problems.push('environment: SWF_API_TOKEN_FILE: the file cannot be read');
    return undefined;
  }
}

const loopback = /^(127(\.\d{1,3}){3}|localhost|::1|\[::1\])$/;

/** Relative key and certificate paths are relative to the site file's folder, like every path in it. */
function absoluteTlsPaths<T>(value: T, folder: string): T {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item: unknown) => absoluteTlsPaths(item, folder)) as T;
  const entries = Object.entries(value).map(([key, inner]: [string, unknown]) => {
    if (key !== 'tls' || typeof inner !== 'object' || inner === null)
      return [key, absoluteTlsPaths(inner, folder)] as const;
    const paths = Object.entries(inner).map(([name, path]: [string, unknown]) => [
      name,
      typeof path === 'string' ? resolve(folder, path) : path,
    ]);
    return [key, Object.fromEntries(paths) as unknown] as const;
  });
  return Object.fromEntries(entries) as T;
}

/** Reads and checks the site file, the catalogue and the environment. Throws ConfigError with every problem at once. */
export function loadConfig(input: ConfigInput): Config {
  const problems: string[] = [];
  const environment = readEnvironment(input.environment, problems);
  const file = siteFileOf(input, problems);
  const values = file !== undefined && existsSync(file) ? readYaml(file, problems) : {};
  const wanted = withEnvironment(values, environment);
  const parsed = siteSchema.safeParse(wanted);
  if (!parsed.success && values !== undefined) problems.push(...describeIssues(file ?? 'defaults', parsed.error));
  const catalogue = readCatalogue(textIn(values, 'catalogue'), file, problems);
  const apiToken = readToken(environment, input, problems);
  const httpHost = textIn(wanted, 'http', 'host');
  if (httpHost !== undefined && !loopback.test(httpHost) && apiToken === undefined) {
    problems.push(`${file ?? 'environment'}: http.host is not loopback: set SWF_API_TOKEN or SWF_API_TOKEN_FILE`);
  }
  if (!parsed.success || problems.length > 0) throw new ConfigError(problems);
  const site = parsed.data;
  return deepFreeze({
    ...absoluteTlsPaths(site, file === undefined ? input.workingDirectory : dirname(file)),
    file,
    dataDir: resolve(input.workingDirectory, environment.SWF_DATA_DIR ?? 'data'),
    databaseUrl: environment.DATABASE_URL,
    postgresBinDir: environment.PG_BIN,
    apiToken,
    logLevel: environment.SWF_LOG_LEVEL,
    catalogue,
    unused,
  });
}

/** Settings that later versions use: accepted now, without effect, and said so by `swf check`. */
const unused = ['retention.messages: nothing is deleted yet'];

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
}

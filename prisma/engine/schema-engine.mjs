#!/usr/bin/env node
/* global WebAssembly */
/*
 * Prisma's commands talk to a "schema engine": a native program that is downloaded when it is first needed. This file speaks
 * the same protocol (JSON-RPC 2.0, a line each, on standard input and output) and answers with the WebAssembly build of that
 * engine, which comes from npm. Only developers' commands need it (migrate, db); the server does not.
 *
 * Arguments: [--datamodels FILE]... [--datasource JSON] [cli can-connect-to-database | create-database | drop-database]
 */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { PrismaPg } from '@prisma/adapter-pg';
import { ColumnTypeEnum, bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils';
import * as glue from '@prisma/schema-engine-wasm/schema_engine_bg';
import pg from 'pg';

const OID_INTERNAL_CHAR = 18;
const OID_TEXT = 25;
const RPC_FAILED = 4466;

function parseArguments(argv) {
  const found = { datamodels: [], url: undefined, command: undefined, version: argv.includes('--version') };
  for (let i = 0; i < argv.length; i += 1) {
    if (argv[i] === '--datamodels') found.datamodels.push(argv[++i]);
    else if (argv[i] === '--datasource') found.url = JSON.parse(argv[++i]).url || undefined;
    else if (argv[i] === 'cli') found.command = argv[++i];
  }
  return found;
}

function withDatabase(url, database) {
  const changed = new URL(url);
  changed.pathname = `/${encodeURIComponent(database)}`;
  return changed.toString();
}

const databaseOf = (url) => decodeURIComponent(new URL(url).pathname.slice(1)) || 'postgres';

/** Corrects two things that the adapter does not do as the engine needs them. */
function corrected(queryable) {
  const { queryRaw } = Object.getPrototypeOf(queryable);
  // catalogue columns of PostgreSQL's internal type "char": the engine wants a character, not a text
  queryable.queryRaw = async (query) => {
    let types = [];
    const performIO = async (statement) => {
      const result = await queryable.performIO(statement);
      types = result.fields.map((field) => field.dataTypeID);
      const fields = result.fields.map((field) =>
        field.dataTypeID === OID_INTERNAL_CHAR ? { ...field, dataTypeID: OID_TEXT } : field,
      );
      return { fields, rows: result.rows };
    };
    const result = await queryRaw.call(Object.create(queryable, { performIO: { value: performIO } }), query);
    types.forEach((type, column) => {
      if (type === OID_INTERNAL_CHAR) result.columnTypes[column] = ColumnTypeEnum.Character;
    });
    return result;
  };
  return queryable;
}

function correctedAdapter(adapter) {
  const startTransaction = adapter.startTransaction.bind(adapter);
  adapter.startTransaction = async (level) => corrected(await startTransaction(level));
  // as one text: cutting it at each semicolon would cut function bodies too
  adapter.executeScript = async (script) => {
    await adapter
      .underlyingDriver()
      .query(script)
      .catch((error) => adapter.onError(error));
  };
  return corrected(adapter);
}

/** The engine's way to the database, and to scratch databases ("shadow databases") on the same server. */
class EngineAdapter extends PrismaPg {
  #url;

  constructor(url) {
    // one connection: the engine takes a session's advisory lock
    super({ connectionString: url, max: 1, connectionTimeoutMillis: 10_000 });
    this.#url = url;
  }

  async connect() {
    return correctedAdapter(await super.connect());
  }

  async connectToShadowDb() {
    const name = `prisma_migrate_shadow_db_${randomUUID()}`;
    await onServer(this.#url, `CREATE DATABASE "${name}"`);
    const shadow = await new EngineAdapter(withDatabase(this.#url, name)).connect();
    const dispose = shadow.dispose.bind(shadow);
    shadow.dispose = async () => {
      await dispose();
      await onServer(this.#url, `DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`);
    };
    return shadow;
  }
}

async function onServer(url, statement) {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  client.on('error', () => {});
  try {
    await client.connect();
    await client.query(statement);
  } finally {
    await client.end().catch(() => {});
  }
}

/** Statements about a whole database are sent to another one of the same server. */
const onMaintenance = (url, statement) =>
  onServer(withDatabase(url, databaseOf(url) === 'postgres' ? 'template1' : 'postgres'), statement);

async function createDatabase(url) {
  await onMaintenance(url, `CREATE DATABASE ${pg.escapeIdentifier(databaseOf(url))}`).catch((error) => {
    if (error.code !== '42P04') throw error;
  });
  return { databaseName: databaseOf(url) };
}

const commands = {
  'can-connect-to-database': (url) => onServer(url, 'SELECT 1'),
  'create-database': createDatabase,
  'drop-database': (url) =>
    onMaintenance(url, `DROP DATABASE IF EXISTS ${pg.escapeIdentifier(databaseOf(url))} WITH (FORCE)`),
};

/** A failure with the code that Prisma's commands look for (`P1003` makes them create the database). */
function knownError(error, url) {
  const place = url ? (new URL(url).searchParams.get('host') ?? new URL(url).host) : '';
  if (error.code === '3D000') return { code: 'P1003', message: `Database \`${databaseOf(url)}\` does not exist` };
  if (error.code === '28P01') return { code: 'P1000', message: `Authentication failed at \`${place}\`` };
  if (error.code === '42501' || error.code === '28000')
    return { code: 'P1010', message: `Access denied: ${error.message}` };
  const unreachable = ['ECONNREFUSED', 'ENOENT', 'ENOTFOUND', 'ETIMEDOUT', 'EACCES'].includes(error.code);
  return unreachable
    ? { code: 'P1001', message: `Can't reach database server at \`${place}\`` }
    : { message: error.message };
}

async function runCommand({ command, url }) {
  const note = (level, fields) => `${JSON.stringify({ level, fields, target: 'schema_engine::logger' })}\n`;
  try {
    const known = commands[command];
    if (!known || !url) throw new Error(known ? 'DATABASE_URL is not set' : `unknown command ${command}`);
    await known(url);
    return 0;
  } catch (error) {
    const { code, message } = knownError(error, url);
    // the reader skips the first line
    process.stderr.write(note('INFO', { message: command }) + note('ERROR', { message, error_code: code }));
    return 1;
  }
}

let panic;

const engineFolder = dirname(createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm/schema_engine_bg'));

function loadEngine() {
  // without a registry a panic of the engine would be an unreadable TypeError
  globalThis.PRISMA_WASM_PANIC_REGISTRY = { set_message: (message) => (panic = message) };
  const module = new WebAssembly.Module(readFileSync(join(engineFolder, 'schema_engine_bg.wasm')));
  const { exports } = new WebAssembly.Instance(module, { './schema_engine_bg.js': glue });
  glue.__wbg_set_wasm(exports);
  exports.__wbindgen_start();
  return glue.SchemaEngine;
}

function createEngine({ datamodels, url }) {
  if (!url)
    throw new Error('DATABASE_URL is not set; "node --import tsx prisma/engine/with-database.ts -- COMMAND" sets one');
  const factory = bindMigrationAwareSqlAdapterFactory(new EngineAdapter(url));
  const contents = datamodels.map((path) => [path, readFileSync(path, 'utf8')]);
  return loadEngine().new({ datamodels: contents.length > 0 ? contents : undefined }, () => {}, factory);
}

/** Both look at the schema of the migrations, which only this call works out. */
async function knowMigrations(engine, { migrationsList, filters }) {
  await engine.devDiagnostic({ migrationsList, filters });
}

/** Calls with another name or need than the engine's method of the same name. */
const special = {
  createDatabase: async (_engine, params, { url }) => createDatabase(params.datasource?.url ?? url),
  getDatabaseVersion: async (engine) => (await engine()).version(),
  evaluateDataLoss: async (engine, params) => {
    await knowMigrations(await engine(), params);
    return (await engine()).evaluateDataLoss(params);
  },
  createMigration: async (engine, params) => {
    await knowMigrations(await engine(), params);
    return (await engine()).createMigration(params);
  },
};

async function call(engine, { method, params }, settings) {
  if (special[method]) return special[method](engine, params, settings);
  const loaded = await engine();
  if (typeof loaded[method] !== 'function') throw new Error(`the schema engine has no method ${method}`);
  return (await loaded[method](params)) ?? {};
}

function rpcError(error, url) {
  if (panic !== undefined) return { code: RPC_FAILED, message: panic, data: { is_panic: true, message: panic } };
  const known = typeof error.code === 'string' && !error.code.startsWith('P') ? knownError(error, url) : error;
  const message = known.message ?? String(error);
  return { code: RPC_FAILED, message, data: { is_panic: false, message, error_code: known.code, meta: error.meta } };
}

async function serve(settings) {
  let engine;
  const loadOnce = () => (engine ??= Promise.resolve().then(() => createEngine(settings)));
  const write = (message) => process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
    if (line.trim() === '') continue;
    const request = JSON.parse(line);
    if (request.method === undefined) continue;
    try {
      const result = await call(loadOnce, request, settings);
      if (result.stdout) write({ id: -request.id, method: 'print', params: { content: result.stdout } });
      write({ id: request.id, result });
    } catch (error) {
      write({ id: request.id, error: rpcError(error, settings.url) });
    }
  }
  return 0;
}

const settings = parseArguments(process.argv.slice(2));
if (settings.version) {
  const { version } = JSON.parse(readFileSync(join(engineFolder, 'package.json'), 'utf8'));
  console.log(`schema-engine-wasm ${version}`);
} else {
  process.exit(await (settings.command ? runCommand(settings) : serve(settings)));
}

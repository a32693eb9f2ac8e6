import { runCheck } from './cli-check.ts';
import { runConfig, runDocs, runMigrate } from './cli-commands.ts';
import { type Command, type Io, UsageError } from './cli-io.ts';
import { runExceptions } from './cli-exceptions.ts';
import { runReplay } from './cli-replay.ts';
import { runSend } from './cli-send.ts';
import { runServe } from './cli-serve.ts';
import { runWorklist } from './cli-worklist.ts';
import { ConfigError } from './platform/config.ts';
import { SwfError } from './platform/errors.ts';
import { version } from './platform/version.ts';
import { StartError } from './server.ts';
import { DatabaseNewerError } from './store/migrate.ts';

const commands: Readonly<Record<string, Command>> = {
  serve: runServe,
  migrate: runMigrate,
  check: runCheck,
  config: runConfig,
  worklist: runWorklist,
  exceptions: runExceptions,
  send: runSend,
  replay: runReplay,
  docs: runDocs,
};

const help = `swf ${version}  IHE Scheduled Workflow: Department System Scheduler / Order Filler

Usage  swf <command> [options]

Run       serve                 listen, deliver, answer HTTP
Database  migrate [--dry-run]   apply pending migrations, or name them
Diagnose  check                 configuration, database, every peer (connect, C-ECHO)
          config                the configuration in force, secrets hidden
          worklist --aet AET    ask the running server for a worklist as the station AET would
                                [--date today|YYYYMMDD[-YYYYMMDD]] [--modality MR] [--station AET] [--patient-id ID] [--accession A]
                                [--procedure RP] [--called AET]
          worklist --aet AET --explain --accession A | --patient-id ID | --procedure RP
                                why each of these steps is on that list or not, key by key; options as above
          exceptions            everything that a person has to look at, with the command for each next step
                                [--kind KIND] [--procedure RP]
          send FILE --to PEER   send an HL7 file to a peer of the site, print its acknowledgement
          send FILE --dry-run   ask the running server what it would do with it; nothing is stored or sent
          replay ID...          let the running server carry out stored inbound messages again
Document  docs DIR [--check]    write openapi.json, workflow.md and two documents of conformance/; --check only compares

Options   -c, --config FILE   --json   -h, --help   --version
Environment  SWF_CONFIG SWF_DATA_DIR DATABASE_URL SWF_HOST SWF_HL7_PORT SWF_DICOM_PORT SWF_HTTP_PORT
             SWF_API_TOKEN SWF_API_TOKEN_FILE SWF_LOG_LEVEL PG_BIN   (docs/operations.md says what each is)
Exit      0 done, 1 it did not work, 2 asked wrongly, 3 the database is newer than this program, 129/130/143 ended by a signal

Examples
  swf check && swf serve
  swf worklist --aet MODALITY1 --date today
  swf worklist --aet CT1 --station CT1 --date today --explain --accession A000123
  swf send order.hl7 --dry-run
`;

/** Exit statuses of the command line (docs/operations.md). */
function statusOf(error: unknown, io: Io): number {
  if (error instanceof ConfigError) {
    io.error(
      `The configuration has ${error.problems.length === 1 ? 'a mistake' : `${error.problems.length} mistakes`}:`,
    );
    for (const problem of error.problems) io.error(`  ${problem}`);
    return 2;
  }
  if (error instanceof UsageError) {
    io.error(`${error.message}\nswf --help shows what can be asked.`);
    return 2;
  }
  if (error instanceof DatabaseNewerError) {
    io.error(error.message);
    return 3;
  }
  if (error instanceof StartError || error instanceof SwfError) {
    io.error(error.message);
    return 1;
  }
  throw error;
}

/** Runs one command line and gives its exit status. */
export async function main(args: readonly string[], io: Io): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    io.print(help);
    return name === undefined ? 2 : 0;
  }
  if (name === '--version') {
    io.print(version);
    return 0;
  }
  try {
    const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
    if (!command) throw new UsageError(`there is no command ${JSON.stringify(name)}`);
    if (rest.includes('--help') || rest.includes('-h')) {
      io.print(help);
      return 0;
    }
    return await command(rest, io);
  } catch (error) {
    return statusOf(error, io);
  }
}

const io: Io = {
  print: (text) => process.stdout.write(`${text.replace(/\n$/, '')}\n`),
  error: (text) => process.stderr.write(`${text.replace(/\n$/, '')}\n`),
  environment: process.env,
  workingDirectory: process.cwd(),
};

process.exitCode = await main(process.argv.slice(2), io);

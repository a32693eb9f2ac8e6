import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Problem } from './yaml-file.ts';

/** The folder of a MESA kit: its scripts, messages, compare lists and tables of codes, each where kits have them. */
export interface MesaKit {
  readonly folder: string;
  /** The scripts of the kit by number, `131`; sorted. */
  readonly scripts: readonly { readonly name: string; readonly file: string }[];
  /** The file of a message that a script names: `order/131/131.104.o01.hl7`. */
  messageFile(path: string): string | undefined;
  /** The file of a compare or format list: `orm_sched_compare.ini`. */
  listFile(name: string): string | undefined;
  /** Every table of codes (XML). */
  codeFiles(): readonly string[];
}

// From the kit as it is installed (`mesa_tests/rad`), or with its parts side by side.
const scriptFolders = ['scenarios', 'actors/common', 'common', '.'];
const messageFolders = ['messages', 'msgs'];
const listFolders = ['compare_ini', 'actors/ordfil/ini_files', 'ini_files'];
const codeFolders = ['codes', 'docs/codes', '../docs/codes'];

/** Opens a kit. Undefined when the folder has no script. */
export function openMesaKit(folder: string): MesaKit | undefined {
  const scripts = scriptFolders.map((part) => scriptsIn(join(folder, part))).find((found) => found.length > 0);
  if (!scripts) return undefined;
  return {
    folder,
    scripts,
    messageFile: (path) =>
      firstFile(messageFolders.flatMap((part) => [join(folder, part, path), join(folder, part, flat(path))])),
    listFile: (name) => firstFile(listFolders.map((part) => join(folder, part, name))),
    codeFiles: () => codeFolders.map((part) => xmlFilesIn(join(folder, part))).find((files) => files.length > 0) ?? [],
  };
}

/** `order/131/131.104.o01.hl7` in one folder with all others is `rad_order_131_131.104.o01.hl7`. */
const flat = (path: string): string => `rad_${path.replaceAll('/', '_')}`;

const firstFile = (candidates: readonly string[]): string | undefined => candidates.find((file) => existsSync(file));

function namesIn(folder: string): string[] {
  return existsSync(folder) && statSync(folder).isDirectory() ? readdirSync(folder).sort() : [];
}

/** Each script has a folder of its own name, in which it is `NNN.txt`. */
function scriptsIn(folder: string): { name: string; file: string }[] {
  return namesIn(folder)
    .filter((name) => /^\d/.test(name))
    .map((name) => ({ name, file: join(folder, name, `${name}.txt`) }))
    .filter(({ file }) => existsSync(file));
}

function xmlFilesIn(folder: string): string[] {
  return namesIn(folder).flatMap((name) => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return xmlFilesIn(path);
    return name.endsWith('.xml') ? [path] : [];
  });
}

/** A file as bytes that stand for themselves, one character each; a problem when it cannot be read. */
export function readBytes(file: string): { text: string; problems: readonly Problem[] } {
  try {
    return { text: readFileSync(file, 'latin1'), problems: [] };
  } catch {
    return { text: '', problems: [{ file, text: 'the file cannot be read' }] };
  }
}

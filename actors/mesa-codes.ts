import { readBytes } from './mesa-kit.ts';
import type { Problem } from './yaml-file.ts';

/** A code as HL7 and DICOM have it. */
export interface Code {
  readonly code: string;
  readonly scheme: string;
  readonly meaning: string;
}

/** A scheduled procedure step of the kit's plan. */
export interface PlannedStep {
  readonly description: string;
  /** Undefined where the script says it. */
  readonly modality: string | undefined;
  readonly station: string | undefined;
  readonly protocols: readonly Code[];
}

/** What the kit's tables say: the ordered services, and the steps of each. */
export interface MesaCodes {
  readonly services: ReadonlyMap<string, Code>;
  readonly steps: ReadonlyMap<string, readonly PlannedStep[]>;
  readonly problems: readonly Problem[];
}

interface Row {
  readonly line: number;
  readonly cell: (column: string) => string;
}

interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly Row[];
}

const serviceColumns = ['Identifier', 'Text', 'Coding Scheme'];
const stepColumns = ['Req Procedure', 'SPS Description', 'Protocol Code', 'Coding Scheme Designator'];

/** Tables leave a cell open with XX, or with an asterisk where the script decides. */
const isOpen = (text: string): boolean => text === '' || text === 'XX' || text === '*';

/** Reads the table of orderable services and the one of their steps, known by their columns; others are left alone. */
export function readMesaCodes(files: readonly string[]): MesaCodes {
  const problems: Problem[] = [];
  const tables = files.flatMap((file) => readTables(file, problems));
  const having = (columns: readonly string[]): Table[] =>
    tables.filter((table) => columns.every((column) => table.columns.includes(column)));
  const rowsOfSteps = having(stepColumns).flatMap(({ rows }) => rows);
  const ordered = new Set(rowsOfSteps.map(({ cell }) => cell('Req Procedure')));
  const rowsOfServices = having(serviceColumns).flatMap(({ rows }) => rows);
  const services = new Map<string, Code>();
  for (const { cell } of rowsOfServices) {
    const code = { code: cell('Identifier'), scheme: cell('Coding Scheme'), meaning: cell('Text') };
    if (ordered.has(code.code) && !isOpen(code.scheme) && !services.has(code.code)) services.set(code.code, code);
  }
  return { services, steps: stepsOf(rowsOfSteps), problems };
}

/** Rows of one procedure and description are one step with several protocol codes. */
function stepsOf(rows: readonly Row[]): Map<string, PlannedStep[]> {
  const steps = new Map<string, PlannedStep[]>();
  for (const { cell } of rows) {
    const scheme = cell('Coding Scheme Designator');
    if (isOpen(scheme) || isOpen(cell('Protocol Code'))) continue;
    const protocol = { code: cell('Protocol Code'), scheme, meaning: cell('Protocol Code Meaning') };
    const description = cell('SPS Description');
    const own = steps.get(cell('Req Procedure')) ?? [];
    const same = own.find((step) => step.description === description);
    const step = {
      description,
      modality: isOpen(cell('Mod')) ? undefined : cell('Mod'),
      station: isOpen(cell('Modality AE Titles')) ? undefined : cell('Modality AE Titles'),
      protocols: [...(same?.protocols ?? []), protocol],
    };
    steps.set(cell('Req Procedure'), same ? own.map((one) => (one === same ? step : one)) : [...own, step]);
  }
  return steps;
}

function readTables(file: string, problems: Problem[]): Table[] {
  const { text, problems: unreadable } = readBytes(file);
  problems.push(...unreadable);
  const source = Buffer.from(text, 'latin1').toString('utf8');
  const columns = elements(source, 'column_name').map(({ content }) => plainText(content));
  const rows = elements(source, 'coded_entry').map(({ content, line }): Row => {
    const cells = elements(content, 'param').map((cell) => plainText(cell.content));
    if (cells.length !== columns.length)
      problems.push({ file, line, text: `the entry has ${cells.length} values, the table ${columns.length} columns` });
    return { line, cell: (column) => cells[columns.indexOf(column)] ?? '' };
  });
  if (!/<\/?(\w+:)?CodeDocument/.test(source)) problems.push({ file, text: 'the file is no CodeDocument' });
  return [{ columns, rows }];
}

/** The elements of a name, whatever their prefix; the tables have no attributes and nothing within itself. */
function elements(source: string, name: string): { content: string; line: number }[] {
  const pattern = new RegExp(`<(?:\\w+:)?${name}>([^]*?)</(?:\\w+:)?${name}>`, 'g');
  return [...source.matchAll(pattern)].map((match) => ({
    content: match[1] ?? '',
    line: source.slice(0, match.index).split('\n').length,
  }));
}

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function plainText(content: string): string {
  return content.replace(/&(\w+);/g, (whole, name: string) => entities[name] ?? whole).trim();
}

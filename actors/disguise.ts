/** The kinds of identifiers that messages carry, each with the letters its invented values begin with. */
const letters = {
  patientId: 'P',
  visitNumber: 'V',
  accountNumber: 'A',
  placerOrderNumber: 'O',
  placerGroupNumber: 'G',
  fillerOrderNumber: 'F',
  accessionNumber: 'N',
  requestedProcedureId: 'R',
  scheduledProcedureStepId: 'S',
  performedProcedureStepId: 'E',
  studyId: 'I',
  otherId: 'X',
} as const;

export type IdentifierKind = keyof typeof letters;

const names = [
  ...['ALDERTON', 'BRISCOE', 'CALDWELL', 'DANVERS', 'ELLERBY', 'FAIRFAX', 'GARROW', 'HOLLIS', 'INGLEBY', 'JESSOP'],
  ...[
    'KENNAWAY',
    'LORIMER',
    'MARCHANT',
    'NETTLETON',
    'ORMEROD',
    'PEMBRIDGE',
    'QUILTER',
    'ROOKWOOD',
    'SELWYN',
    'TREMLETT',
  ],
  ...['UPJOHN', 'VENABLES', 'WARBURTON', 'YARROW', 'ASHBY', 'BELLAMY', 'CORDER', 'DRUMMOND', 'ESSEX', 'FENWICK'],
] as const;

/** Invents a value for each that is real, the same one each time it occurs. */
export interface Disguise {
  /** `${patientId}`: a name of `let` for a value that somebody brings. */
  readonly identifier: (kind: IdentifierKind, value: string) => string;
  /** `${mpps}` for a UID; those that DICOM itself has stay. */
  readonly uid: (value: string, called: string) => string;
  /** The name under which an identifier or UID is known already; undefined when it has not occurred. */
  readonly known: (kind: IdentifierKind | 'uid', value: string) => string | undefined;
  /** A name for an identifier that the Order Filler assigned: it is captured. */
  readonly captured: (kind: IdentifierKind | 'uid', value: string, called: string) => string;
  /** A part of a person's name. */
  readonly name: (part: string) => string;
  /** Digits `YYYY...` of HL7 or DICOM, or `YYYY-MM-DD...`: the day is moved, the time stays. */
  readonly date: (value: string) => string;
  readonly birthDate: (value: string) => string;
  /** Free text of at most 16 characters. */
  readonly text: (value: string) => string;
  readonly phone: (value: string) => string;
  /** A number that names a person of the staff. */
  readonly staffNumber: (value: string) => string;
  /** What the names stand for, in the order in which they were given. */
  readonly lets: () => Readonly<Record<string, string>>;
}

interface DisguiseOptions {
  /** By how many days dates move. */
  readonly days: number;
  readonly birthDays: number;
  /** Whether a text occurs in what is real: no invented value may be one of those. */
  readonly isReal: (text: string) => boolean;
}

/** An empty disguise. */
export function createDisguise({ days, birthDays, isReal }: DisguiseOptions): Disguise {
  const lets = new Map<string, string>();
  const references = new Map<string, string>();
  const taken = new Set<string>();
  const nameFor = (called: string): string => {
    let name = called;
    for (let number = 2; taken.has(name); number++) name = `${called}${number}`;
    taken.add(name);
    return name;
  };
  const refer = (key: string, called: string, value?: (name: string) => string): string => {
    const known = references.get(key);
    if (known !== undefined) return known;
    const name = nameFor(called);
    if (value) lets.set(name, value(name));
    references.set(key, name);
    return name;
  };
  const invented = inventor(isReal);
  return {
    identifier: (kind, value) => {
      const number = (name: string): string => /\d+$/.exec(name)?.[0] ?? '';
      return `\${${refer(`${kind} ${value}`, kind, (name) => `${letters[kind]}${number(name)}\${run}`)}}`;
    },
    uid: (value, called) => (isOfDicom(value) ? value : `\${${refer(`uid ${value}`, called, () => '${uid}')}}`),
    known: (kind, value) => references.get(`${kind} ${value}`),
    captured: (kind, value, called) => refer(`${kind} ${value}`, called),
    name: (part) => invented(`name ${part.toUpperCase()}`, (count) => names[count] ?? `NAME${count}`),
    text: (value) => invented(`text ${value}`, (count) => `text ${count + 1}`),
    phone: (value) => invented(`phone ${value}`, (count) => `(000)555-${String(100 + count).padStart(4, '0')}`),
    staffNumber: (value) => invented(`staff ${value}`, (count) => String(9001 + count)),
    date: (value) => moved(value, days),
    birthDate: (value) => moved(value, birthDays),
    lets: () => Object.fromEntries(lets),
  };
}

/** The roots under which DICOM and HL7 register what everybody knows. */
const isOfDicom = (uid: string): boolean => /^(1\.2\.840\.10008|2\.16\.840\.1\.113883)\./.test(uid);

/** Gives each key a value of its own, counted by the first word of the key, and none that is real. */
function inventor(isReal: (text: string) => boolean): (key: string, make: (count: number) => string) => string {
  const values = new Map<string, string>();
  const counts = new Map<string, number>();
  return (key, make) => {
    const known = values.get(key);
    if (known !== undefined) return known;
    const kind = key.split(' ')[0] ?? '';
    let count = counts.get(kind) ?? 0;
    while (isReal(make(count))) count++;
    counts.set(kind, count + 1);
    values.set(key, make(count));
    return make(count);
  };
}

/** A day moved, whatever stands behind it; a month or a year alone, or what is no day, as near as it goes. */
function moved(value: string, days: number): string {
  const match = /^(\d{4})(-?)(\d{2})?\2(\d{2})?(.*)$/s.exec(value);
  if (!match) return '';
  const [, year = '', dash = '', month, day, rest = ''] = match;
  const date = new Date(Date.UTC(Number(year), Number(month ?? 7) - 1, Number(day ?? 1)));
  if (Number.isNaN(date.getTime())) return '';
  date.setUTCDate(date.getUTCDate() + days);
  const [newYear = '', newMonth = '', newDay = ''] = date.toISOString().slice(0, 10).split('-');
  if (month === undefined) return newYear;
  if (day === undefined) return [newYear, newMonth].join(dash);
  return [newYear, newMonth, newDay].join(dash) + rest;
}

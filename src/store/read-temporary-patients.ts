import type { Store, Tx } from './prisma.ts';
import { numbersOnImages } from './temporary-patients.ts';
import { type Page, type PageRequest, firstIdentifier, instant, patientIdOf, readSnapshot } from './read-page.ts';

/**
 * free: never used; used: somebody's; reconciled: its patient has been merged, and it may be given again as soon as no
 * modality performs anything under it.
 */
export type NumberState = 'free' | 'used' | 'reconciled';

/** A number of the department's list as others see it. */
export interface TemporaryNumberView {
  readonly number: string;
  readonly assigningAuthority: string;
  readonly state: NumberState;
  /** Where its patient is examined, else whose part of the list it is on. */
  readonly modality: string | null;
  /** Since when it is, or was, in use. */
  readonly since: string | null;
  /** A person, or the AE title of the modality that used it. */
  readonly takenBy: string | null;
  readonly reconciledAt: string | null;
  /** PID-3.1 of the patient with whom its last one was reconciled. */
  readonly survivorId: string | null;
  /** How many procedures its patient has. */
  readonly procedures: number;
}

/** The list of the site file. */
export interface NumberList {
  readonly assigningAuthority: string;
  readonly numbers: readonly { readonly number: string; readonly modality: string | undefined }[];
}

export interface NumberFilter {
  readonly number?: string | undefined;
  readonly state?: NumberState | undefined;
  readonly modality?: string | undefined;
}

interface Use {
  readonly value: string;
  readonly assigningAuthority: string;
  readonly patientId: number;
  readonly modality: string | null;
  readonly since: Date;
  readonly takenBy: string | null;
  readonly reconciledAt: Date | null;
}

interface Row {
  readonly number: string;
  readonly assigningAuthority: string;
  readonly modality: string | undefined;
  readonly use: Use | undefined;
}

/** Numbers of the list that somebody has without it: who got them before, and who was examined under another's. */
async function otherUses(tx: Tx, { assigningAuthority, numbers }: NumberList): Promise<Use[]> {
  const values = numbers.map(({ number }) => number);
  const held = await tx.patientIdentifier.findMany({
    where: { assigningAuthority, value: { in: values }, current: true },
    select: { value: true, patientId: true, patient: { select: { createdAt: true } } },
  });
  const owners = held.map(({ value, patientId, patient }) => ({ value, patientId, since: patient.createdAt }));
  const unsaid = { assigningAuthority, modality: null, takenBy: null, reconciledAt: null };
  return [...(await numbersOnImages(tx, values)), ...owners].map((use) => ({ ...use, ...unsaid }));
}

/** The use of every number that was ever used: the last one, or that of somebody who has it without the list. */
async function lastUses(tx: Tx, list: NumberList): Promise<Use[]> {
  const uses = await tx.$queryRaw<Use[]>`
    SELECT DISTINCT ON (value, "assigningAuthority")
      value, "assigningAuthority", "patientId", modality, since, "takenBy", "reconciledAt"
    FROM "TemporaryNumber" ORDER BY value, "assigningAuthority", id DESC`;
  const known = new Set(uses.filter((use) => use.reconciledAt === null).map(keyOf));
  const others = await otherUses(tx, list);
  return [...uses, ...others.filter((use) => !known.has(keyOf(use)))];
}

const keyOf = ({ value, assigningAuthority }: Pick<Use, 'value' | 'assigningAuthority'>): string =>
  `${assigningAuthority}\n${value}`;

/** The list in its order, then numbers that are in use and no longer on it. */
function rowsOf(list: NumberList, uses: readonly Use[]): Row[] {
  const { assigningAuthority } = list;
  const last = new Map(uses.map((use) => [keyOf(use), use]));
  const listed = list.numbers.map(({ number, modality }): Row => {
    const use = last.get(keyOf({ value: number, assigningAuthority }));
    return { number, assigningAuthority, modality, use };
  });
  const onList = new Set(listed.map((row) => keyOf({ value: row.number, assigningAuthority })));
  const others = [...last.values()].filter((use) => use.reconciledAt === null && !onList.has(keyOf(use)));
  return [
    ...listed,
    ...others.map((use) => ({
      number: use.value,
      assigningAuthority: use.assigningAuthority,
      modality: undefined,
      use,
    })),
  ];
}

function stateOf({ use }: Row): NumberState {
  if (!use) return 'free';
  return use.reconciledAt === null ? 'used' : 'reconciled';
}

const modalityOf = ({ use, modality }: Row): string | null => use?.modality ?? modality ?? null;

async function countProcedures(tx: Tx, patientIds: readonly number[]): Promise<Map<number, number>> {
  const rows = await tx.$queryRaw<{ patientId: number; procedures: bigint }[]>`
    SELECT o."patientId", count(*) AS procedures
    FROM "RequestedProcedure" r JOIN "Order" o ON o.id = r."orderId"
    WHERE o."patientId" = ANY(${[...patientIds]}::int[])
    GROUP BY o."patientId"`;
  return new Map(rows.map((row) => [row.patientId, Number(row.procedures)]));
}

async function survivorsOf(tx: Tx, patientIds: readonly number[]): Promise<Map<number, string>> {
  const where = { id: { in: [...patientIds] }, mergedIntoId: { not: null } };
  const rows = await tx.patient.findMany({ where, select: { id: true, mergedInto: firstIdentifier } });
  return new Map(rows.flatMap(({ id, mergedInto }) => (mergedInto ? [[id, patientIdOf(mergedInto)] as const] : [])));
}

async function shown(tx: Tx, rows: readonly Row[]): Promise<TemporaryNumberView[]> {
  const patientIds = rows.flatMap(({ use }) => use?.patientId ?? []);
  const procedures = await countProcedures(tx, patientIds);
  const survivors = await survivorsOf(tx, patientIds);
  return rows.map((row) => {
    const { number, assigningAuthority, use } = row;
    return {
      number,
      assigningAuthority,
      state: stateOf(row),
      modality: modalityOf(row),
      since: instant(use?.since ?? null),
      takenBy: use?.takenBy ?? null,
      reconciledAt: instant(use?.reconciledAt ?? null),
      survivorId: (use && survivors.get(use.patientId)) ?? null,
      procedures: (use && procedures.get(use.patientId)) ?? 0,
    };
  });
}

/** The register of temporary patients, in the order of the list. A cursor is a place in it. */
export async function listTemporaryNumbers(
  store: Store,
  list: NumberList,
  filter: NumberFilter,
  { limit, after = 0 }: PageRequest,
): Promise<Page<TemporaryNumberView>> {
  const isMeant = (row: Row): boolean =>
    (filter.number === undefined || row.number === filter.number) &&
    (filter.state === undefined || stateOf(row) === filter.state) &&
    (filter.modality === undefined || modalityOf(row) === filter.modality);
  return readSnapshot(store, async (tx) => {
    const rows = rowsOf(list, await lastUses(tx, list)).map((row, index) => ({ row, place: index + 1 }));
    const found = rows.filter(({ row, place }) => place > after && isMeant(row));
    const page = found.slice(0, limit);
    const last = page.at(-1);
    const items = await shown(
      tx,
      page.map(({ row }) => row),
    );
    return { items, next: found.length > limit && last ? String(last.place) : null };
  });
}

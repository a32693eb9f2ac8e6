import type { PatientIdentifier, PersonName } from '../workflow/vocabulary.ts';
import type { Prisma } from './generated/client.ts';
import { type Store, dateOf } from './prisma.ts';
import { instant, readSnapshot } from './read-page.ts';

/** A patient as the department knows him. */
export interface PatientView {
  readonly identifiers: readonly PatientIdentifier[];
  /** Identifiers that a merge or a change has replaced; they still find the patient. */
  readonly formerIdentifiers: readonly PatientIdentifier[];
  /** Patients who were merged into this one (ADT^A40). */
  readonly merges: readonly { readonly at: string; readonly messageId: number | null }[];
  /** PID-5 */
  readonly name: PersonName;
  /** PID-7 as `YYYY-MM-DD` */
  readonly birthDate: string | null;
  /** PID-8, HL7 table 0001 */
  readonly sex: string | null;
  /** By RAD-1; null while only orders have named him. */
  readonly registeredAt: string | null;
  readonly visits: readonly {
    readonly visitNumber: string | null;
    readonly assigningAuthority: string;
    readonly visitStatus: string;
    readonly patientClass: string | null;
    readonly updatedAt: string;
  }[];
  readonly orders: readonly {
    readonly placerOrderNumber: string | null;
    readonly placerOrderIssuer: string | null;
    readonly accessionNumber: string;
    readonly orderStatus: string;
  }[];
}

const shown = {
  identifiers: { orderBy: { id: 'asc' } },
  merged: { select: { mergedAt: true, mergedByMessageId: true }, orderBy: { mergedAt: 'asc' } },
  visits: {
    select: { visitNumber: true, assigningAuthority: true, visitStatus: true, patientClass: true, updatedAt: true },
    orderBy: { id: 'asc' },
  },
  orders: {
    select: { placerOrderNumber: true, placerOrderIssuer: true, accessionNumber: true, orderStatus: true },
    orderBy: { id: 'asc' },
  },
} as const satisfies Prisma.PatientInclude;

/** One repetition of PID-3; what its sender left out is absent. */
function toIdentifier(row: Prisma.PatientIdentifierGetPayload<object>): PatientIdentifier {
  const { value, assigningAuthority, universalId, universalIdType, identifierType } = row;
  const optional = Object.entries({ universalId, universalIdType, identifierType }).filter(([, part]) => part !== null);
  return { value, assigningAuthority, ...Object.fromEntries(optional) };
}

function toView(row: Prisma.PatientGetPayload<{ include: typeof shown }>): PatientView {
  return {
    identifiers: row.identifiers.filter(({ current }) => current).map(toIdentifier),
    formerIdentifiers: row.identifiers.filter(({ current }) => !current).map(toIdentifier),
    merges: row.merged.map((one) => ({ at: instant(one.mergedAt) ?? '', messageId: one.mergedByMessageId })),
    name: row.name as PersonName,
    birthDate: row.birthDate && dateOf(row.birthDate),
    sex: row.sex,
    registeredAt: instant(row.registeredAt),
    visits: row.visits.map((visit) => ({ ...visit, updatedAt: instant(visit.updatedAt) })),
    orders: row.orders,
  };
}

/** The patient that an identifier value means, or how many assigning authorities gave it to different patients. */
export type PatientMeant = { readonly patient: PatientView } | { readonly assigningAuthorities: number };

/** Finds a patient by PID-3.1, and PID-3.4 where the value alone does not tell. */
export async function findPatientView(store: Store, value: string, assigningAuthority?: string): Promise<PatientMeant> {
  return readSnapshot(store, async (tx) => {
    const rows = await tx.patientIdentifier.findMany({
      where: { value, ...(assigningAuthority === undefined ? {} : { assigningAuthority }) },
      select: { patientId: true },
    });
    const [id, ...others] = new Set(rows.map((row) => row.patientId));
    if (id === undefined || others.length > 0) return { assigningAuthorities: rows.length };
    return { patient: toView(await tx.patient.findUniqueOrThrow({ where: { id }, include: shown })) };
  });
}

import { patientToHl7 } from '../mapping/patient-to-hl7.ts';
import type { PatientIdentifier, PersonName } from '../workflow/vocabulary.ts';
import { updateFor } from '../workflow/patient-changes.ts';
import { type OutgoingMessage, destinationsKnowing } from '../store/outbox.ts';
import type { StoredPatient } from '../store/patients.ts';
import { ordersKnownToPlacers } from '../store/orders.ts';
import { openProcedures } from '../store/find-procedures.ts';
import { addHistory } from '../store/procedures.ts';
import type { StoredVisit } from '../store/visits.ts';
import { type Hl7Peer, placerOf, procedureDestinations } from './department.ts';
import { envelopeFor, outgoing } from './outgoing-hl7.ts';
import { type Unit, characterSetNotCarried, deliver, standingLine } from './unit-of-work.ts';

/** What happened to a patient, for those who know a procedure of his. */
export interface PatientNews {
  readonly patient: StoredPatient;
  readonly visit: StoredVisit | undefined;
  /** MSH-9.2 of the ADT's message. */
  readonly triggerEvent: string;
  /** What others know of him is other than it was. */
  readonly changed: boolean;
  /** EVN-6 as it came */
  readonly occurredAt?: string | undefined;
  /** Who was merged into him (A40). */
  readonly merged?: {
    readonly patientId?: number;
    readonly identifiers: readonly PatientIdentifier[];
    readonly name?: PersonName | undefined;
  };
  /**
   * Images of his are under another number: also who was told of no procedure has to hear. False: nobody who has images,
   * since those of somebody else are under it as well.
   */
  readonly everybody?: boolean;
  /** Order placers who have an order of the department under a number that is no longer his. */
  readonly placers?: readonly Hl7Peer[];
  readonly at: Date;
}

/** Order placers who have heard of an order of a patient: what the department calls him stands in their order. */
export async function placersKnowing({ tx, department }: Unit, patientId: number): Promise<Hl7Peer[]> {
  const orders = await ordersKnownToPlacers(tx, patientId);
  const placers = orders.flatMap((order) => placerOf(department.config, order) ?? []);
  return placers.filter((peer, index) => placers.indexOf(peer) === index);
}

/**
 * Who is told: image managers and report managers that were told of a procedure of the patient, or all of them where
 * images may be under another number; order placers where the number that goes was ours (RAD TF-1 4.4, PIR case 4):
 * any other merge they have from the ADT.
 */
async function receivers(unit: Unit, { patient, merged, everybody, placers = [] }: PatientNews): Promise<Hl7Peer[]> {
  const known = await destinationsKnowing(unit.tx, [patient.id, ...(merged?.patientId ? [merged.patientId] : [])]);
  const managers = procedureDestinations(unit.department.config);
  return [...placers, ...managers.filter((peer) => everybody ?? known.includes(peer.name))];
}

/**
 * RAD-12 Patient Update out (RAD TF-2 4.12), to everybody who has to hear it; rebuilt from what is stored, never the
 * ADT's own message.
 */
export async function tellOfPatient(unit: Unit, news: PatientNews): Promise<void> {
  const { patient, visit, merged, at, occurredAt } = news;
  const messages = (await receivers(unit, news)).flatMap((peer) => {
    const triggerEvent = merged ? 'A40' : updateFor(news.triggerEvent, news.changed, peer.sends.patientUpdates);
    if (!triggerEvent) return [];
    const envelope = envelopeFor(unit.department, peer, at);
    const rendered = patientToHl7(envelope, { triggerEvent, patient, visit, merged, recordedAt: at, occurredAt });
    const about = { transaction: 'RAD-12', effect: 'updatePatient', patientId: patient.id };
    return [outgoing(peer, envelope, rendered, about)];
  });
  await deliver(unit, messages, at);
  await noteRemarks(unit, { patientId: patient.id, messages, at });
}

/** What a receiver's character set could not carry stands in the history of the patient's open procedures. */
async function noteRemarks(
  unit: Unit,
  {
    patientId,
    messages,
    at,
  }: { readonly patientId: number; readonly messages: readonly OutgoingMessage[]; readonly at: Date },
): Promise<void> {
  const odd = messages.filter(({ remark }) => remark !== undefined);
  if (odd.length === 0) return;
  const open = await openProcedures(unit.tx, { patientId });
  const lines = odd.flatMap(({ remark, destination: causedBy }) =>
    open.map((procedure) =>
      standingLine(procedure, characterSetNotCarried, { messageId: undefined, causedBy, at, remark }),
    ),
  );
  await addHistory(unit.tx, lines);
}

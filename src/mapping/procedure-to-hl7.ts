import { toCwe } from '../hl7/datatypes.ts';
import type { Field, SegmentValues } from '../hl7/encode.ts';
import type { Code, PlannedProcedure, PlannedStep } from '../workflow/vocabulary.ts';
import { type RenderedMessage, rendered } from './rendered.ts';
import {
  type Envelope,
  type OrderSubject,
  obrOfOrder,
  orc,
  pid,
  plainCode,
  pv1,
  quantityTiming,
  segment,
  tq1,
  universalService,
} from './segments-to-hl7.ts';

/** ORC-1 and ORC-5 of RAD-4 (scheduled) and of the four RAD-13 messages (RAD TF-2 4.4, 4.13). */
export const procedureControls = {
  scheduled: { orderControl: 'NW', orderStatus: 'SC' },
  /** Before its start. */
  cancelled: { orderControl: 'CA', orderStatus: 'CA' },
  /** After its start. */
  discontinued: { orderControl: 'DC', orderStatus: 'CA' },
  /** While it is scheduled or in progress. */
  changed: { orderControl: 'XO', orderStatus: 'SC' },
  changedAfterCompletion: { orderControl: 'XO', orderStatus: 'CM' },
} as const;

/** Which of the RAD-4 and RAD-13 pairs a message says. */
export type ProcedureControl = (typeof procedureControls)[keyof typeof procedureControls];

interface StepItem {
  readonly step: PlannedStep;
  readonly protocol: Code | undefined;
}

/** One item for each protocol code of each step; a step without a protocol is one item. */
function itemsOf(procedure: PlannedProcedure): StepItem[] {
  return procedure.steps.flatMap((step): StepItem[] =>
    step.protocols.length === 0
      ? [{ step, protocol: undefined }]
      : step.protocols.map((protocol) => ({ step, protocol })),
  );
}

/** The step that begins before all others; a step moved by itself may come after those that followed it. */
export function firstStepOf({ steps }: PlannedProcedure): PlannedStep | undefined {
  const at = ({ start }: PlannedStep): string => `${start.date}T${start.time}`;
  return steps.reduce<PlannedStep | undefined>(
    (first, step) => (first && at(first) <= at(step) ? first : step),
    undefined,
  );
}

function orm(subject: OrderSubject, procedure: PlannedProcedure, control: ProcedureControl): SegmentValues[] {
  const pairs = itemsOf(procedure).flatMap(({ step, protocol }, index): SegmentValues[] => [
    orc(subject, { ...control, start: step.start }, '2.3.1'),
    segment('OBR', {
      ...obrOfOrder(subject, '2.3.1'),
      1: String(index + 1),
      4: universalService(procedure.code, protocol),
      18: subject.accessionNumber,
      19: procedure.requestedProcedureId,
      20: step.scheduledProcedureStepId,
      24: step.modality,
      27: quantityTiming(subject.order, step.start),
      44: plainCode(procedure.code),
    }),
  ]);
  // ZDS-1 is a reference pointer: UID, then what it points to (RAD TF-2 4.4.4.1.2.2).
  return [...pairs, segment('ZDS', { 1: [procedure.studyInstanceUid, '100', 'Application', 'DICOM'] })];
}

function ipc(subject: OrderSubject, procedure: PlannedProcedure, { step, protocol }: StepItem): SegmentValues {
  const stations: Field = { repetitions: step.scheduledStationAeTitles.map((aeTitle) => [aeTitle]) };
  return segment('IPC', {
    1: [subject.accessionNumber, subject.application],
    2: [procedure.requestedProcedureId, subject.application],
    3: [procedure.studyInstanceUid],
    4: [step.scheduledProcedureStepId, subject.application],
    5: [step.modality, undefined, 'DCM'],
    6: protocol && toCwe(protocol),
    7: step.stationName,
    8: step.location,
    9: stations,
  });
}

/** One TQ1 for the procedure: IPC has no time of its own, so it carries the first step's start. */
function omi(subject: OrderSubject, procedure: PlannedProcedure, control: ProcedureControl): SegmentValues[] {
  return [
    orc(subject, control, '2.5.1'),
    tq1(subject.order, firstStepOf(procedure)?.start),
    segment('OBR', {
      ...obrOfOrder(subject, '2.5.1'),
      1: '1',
      4: plainCode(procedure.code),
      44: plainCode(procedure.code),
    }),
    ...itemsOf(procedure).map((item) => ipc(subject, procedure, item)),
  ];
}

/**
 * RAD-4 Procedure Scheduled and RAD-13 Procedure Update: ORM^O01 with ZDS for v2.3.1, OMI^O23 with IPC for v2.5.1
 * (RAD TF-2 4.4, 4.13). An update is the whole procedure again, with the same numbers.
 */
export function procedureToHl7(
  envelope: Envelope,
  subject: OrderSubject,
  procedure: PlannedProcedure,
  control: ProcedureControl,
): RenderedMessage {
  const later = envelope.version === '2.5.1';
  const body = later ? omi(subject, procedure, control) : orm(subject, procedure, control);
  const segments = [pid(subject.patient, envelope.version), pv1(subject.visit), ...body];
  const transaction = control.orderControl === 'NW' ? 'RAD-4' : 'RAD-13';
  const form = later
    ? { messageType: 'OMI^O23', structure: `OMI_O23 ${transaction}` }
    : { messageType: 'ORM^O01', structure: `ORM_O01 ${transaction}` };
  return rendered(envelope, form, segments);
}

import { type Component, type Field, type SegmentValues, encodeMessage } from '../hl7/encode.ts';
import { toCwe } from '../hl7/datatypes.ts';
import type { Code, CodedValue, PlannedProcedure, PlannedStep } from '../workflow/vocabulary.ts';
import {
  type Envelope,
  type OrderSubject,
  msh,
  obrOfOrder,
  orc,
  pid,
  pv1,
  quantityTiming,
  segment,
  tq1,
} from './segments-to-hl7.ts';

/** A message that is finished: its bytes never change again. */
export interface RenderedMessage {
  readonly messageType: string;
  readonly bytes: Uint8Array;
}

/** Which of the RAD-4 and RAD-13 pairs a message says (RAD TF-2 4.4, 4.13). */
export interface ProcedureControl {
  readonly orderControl: 'NW';
  readonly orderStatus: 'SC';
}

export const procedureScheduled: ProcedureControl = { orderControl: 'NW', orderStatus: 'SC' };

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

/** OBR-4 of v2.3.1: the procedure's code, then the scheduled protocol's. */
function universalService(code: CodedValue, protocol: Code | undefined): readonly Component[] {
  return [code.code, code.meaning, code.scheme, protocol?.code, protocol?.meaning, protocol?.scheme];
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
      44: toCwe(plainCode(procedure.code)),
    }),
  ]);
  // ZDS-1 is a reference pointer: UID, then what it points to (RAD TF-2 4.4.4.1.2.2).
  return [...pairs, segment('ZDS', { 1: [procedure.studyInstanceUid, '100', 'Application', 'DICOM'] })];
}

function plainCode({ code, meaning, scheme }: CodedValue): CodedValue {
  return {
    ...(code === undefined ? {} : { code }),
    ...(meaning === undefined ? {} : { meaning }),
    ...(scheme === undefined ? {} : { scheme }),
  };
}

function ipc(subject: OrderSubject, procedure: PlannedProcedure, { step, protocol }: StepItem): SegmentValues {
  const stations: Field = { repetitions: step.scheduledStationAeTitles.map((aeTitle) => [aeTitle]) };
  return segment('IPC', {
    1: [subject.accessionNumber, subject.application],
    2: [procedure.requestedProcedureId, subject.application],
    3: [procedure.studyInstanceUid],
    4: [step.scheduledProcedureStepId, subject.application],
    5: [step.modality, undefined, 'DCM'],
    6: protocol && [protocol.code, protocol.meaning, protocol.scheme],
    9: stations,
  });
}

/** One TQ1 for the procedure: IPC has no time of its own, so it carries the first step's start. */
function omi(subject: OrderSubject, procedure: PlannedProcedure, control: ProcedureControl): SegmentValues[] {
  const start = procedure.steps[0]?.start;
  return [
    orc(subject, control, '2.5.1'),
    tq1(subject.order, start),
    segment('OBR', {
      ...obrOfOrder(subject, '2.5.1'),
      1: '1',
      4: universalService(procedure.code, undefined),
      44: toCwe(plainCode(procedure.code)),
    }),
    ...itemsOf(procedure).map((item) => ipc(subject, procedure, item)),
  ];
}

/** RAD-4 Procedure Scheduled: ORM^O01 with ZDS for v2.3.1, OMI^O23 with IPC for v2.5.1 (RAD TF-2 4.4). */
export function procedureToHl7(
  envelope: Envelope,
  subject: OrderSubject,
  procedure: PlannedProcedure,
  control: ProcedureControl,
): RenderedMessage {
  const v231 = envelope.version === '2.3.1';
  const type = v231
    ? { messageType: 'ORM', triggerEvent: 'O01', structure: 'ORM_O01' }
    : { messageType: 'OMI', triggerEvent: 'O23', structure: 'OMI_O23' };
  const body = v231 ? orm(subject, procedure, control) : omi(subject, procedure, control);
  const segments = [msh(envelope, type), pid(subject.patient, envelope.version), pv1(subject.visit), ...body];
  return {
    messageType: `${type.messageType}^${type.triggerEvent}`,
    bytes: encodeMessage(segments, { characterSet: envelope.characterSet ?? '' }),
  };
}

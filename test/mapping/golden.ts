import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { toDicomJson } from '../../src/dicom/dataset.ts';
import { parseMessage } from '../../src/hl7/message.ts';
import { ordersFromHl7 } from '../../src/mapping/order-from-hl7.ts';
import { patientFromHl7, visitFromHl7 } from '../../src/mapping/patient-from-hl7.ts';
import { procedureScheduled, procedureToHl7 } from '../../src/mapping/procedure-to-hl7.ts';
import { type SenderRules, startReading } from '../../src/mapping/reader.ts';
import type { Envelope, Hl7Version, OrderSubject } from '../../src/mapping/segments-to-hl7.ts';
import { statusToHl7 } from '../../src/mapping/status-to-hl7.ts';
import { stepToWorklist } from '../../src/mapping/step-to-worklist.ts';
import { fixedClock, localTimeOf } from '../../src/platform/clock.ts';
import { catalogueSchema } from '../../src/platform/config-schema.ts';
import { countedIds } from '../../src/platform/ids.ts';
import { registered, visitAfter } from '../../src/workflow/patient-changes.ts';
import { planProcedures } from '../../src/workflow/planning.ts';
import type { PlannedProcedure } from '../../src/workflow/vocabulary.ts';

export const goldenFolder = join(import.meta.dirname, '../golden');

const TIME_ZONE = 'Europe/Berlin';
const clock = fixedClock('2026-01-05T07:00:12Z');

const rules: SenderRules = {
  assigningAuthority: 'HOSPITAL',
  station: undefined,
  serviceCode: 'OBR-4.1',
  timeZone: TIME_ZONE,
  validation: 'lenient',
};

/** What a case can set beside its message: the character set of what goes out. */
const characterSets: Readonly<Record<string, string>> = { 'latin1-names': '8859/1' };

interface Planned {
  readonly subject: OrderSubject;
  readonly procedures: readonly PlannedProcedure[];
}

/** A message with its line ends as segment ends. */
function readMessage(path: string) {
  return parseMessage(readFileSync(path).map((byte) => (byte === 0x0a ? 0x0d : byte)));
}

/** The orders of a case as the department plans them, with counted numbers. */
function planCase(name: string): Planned[] {
  const catalogue = catalogueSchema.parse(parse(readFileSync(join(goldenFolder, 'catalogue.yaml'), 'utf8')));
  const reading = startReading(readMessage(join(goldenFolder, name, 'in.hl7')), rules);
  const patient = registered(undefined, patientFromHl7(reading));
  const said = visitFromHl7(reading);
  const visit = said && {
    visitNumber: said.visitNumber,
    assigningAuthority: said.assigningAuthority,
    ...visitAfter(undefined, said, 'order'),
    visitStatus: 'OPEN' as const,
  };
  const ids = countedIds();
  const two = [1, 2];
  return ordersFromHl7(reading).map((order, index) => {
    const identifiers = {
      requestedProcedureIds: two.map((n) => `RP${index + 1}0${n}`),
      studyInstanceUids: two.map(() => ids.uid()),
      scheduledProcedureStepIds: two.map((n) => `S${index + 1}0${n}`),
    };
    const site = { catalogue, unknownProcedure: 'accept' as const };
    const procedures = planProcedures(order, site, identifiers, localTimeOf(clock.now(), TIME_ZONE));
    const numbers = { fillerOrderNumber: `F${index + 1}`, accessionNumber: `A${index + 1}`, application: 'SWF_OF' };
    return { subject: { patient, visit, order, ...numbers }, procedures };
  });
}

function envelopeOf(name: string, version: Hl7Version, controlId: string): Envelope {
  return {
    version,
    application: 'SWF_OF',
    facility: 'RADIOLOGY',
    receivingApplication: 'PEER',
    receivingFacility: 'HOSPITAL',
    controlId,
    at: clock.now(),
    timeZone: TIME_ZONE,
    characterSet: characterSets[name],
  };
}

function worklistItemsOf({ subject, procedures }: Planned): object[] {
  const { patient, order, visit } = subject;
  return procedures.flatMap((procedure) =>
    procedure.steps.map((step) =>
      toDicomJson(
        stepToWorklist({
          ...step,
          ...procedure,
          stepStatus: 'SCHEDULED',
          startDate: step.start.date,
          startTime: step.start.time,
          step,
          accessionNumber: subject.accessionNumber,
          fillerOrderNumber: subject.fillerOrderNumber,
          order,
          patientName: patient.name,
          birthDate: patient.birthDate ?? null,
          sex: patient.sex ?? null,
          demographics: patient.demographics,
          identifiers: patient.identifiers,
          patientClass: visit?.patientClass ?? null,
          visit: visit?.details ?? null,
        }),
      ),
    ),
  );
}

/** Messages one after another, segment ends as line ends, an empty line between two. */
function asLines(messages: readonly Uint8Array[]): Uint8Array {
  const pieces = messages.map((bytes) => Buffer.from(bytes).map((byte) => (byte === 0x0d ? 0x0a : byte)));
  return Buffer.concat(pieces.flatMap((piece, index) => (index === 0 ? [piece] : [Buffer.from('\n'), piece])));
}

/** Everything that goes out for the order message of a case, by file name. */
export function renderCase(name: string): Map<string, Uint8Array> {
  const planned = planCase(name);
  const files = new Map<string, Uint8Array>();
  for (const version of ['2.3.1', '2.5.1'] as const) {
    const ids = countedIds();
    const envelope = (): Envelope => envelopeOf(name, version, ids.controlId());
    const procedureMessages = planned.flatMap(({ subject, procedures }) =>
      procedures.map((procedure) => procedureToHl7(envelope(), subject, procedure, procedureScheduled).bytes),
    );
    const statusMessages = planned.flatMap(({ subject, procedures }) =>
      (['IP', 'CM'] as const).map((orderStatus) => {
        const start = procedures[0]?.steps[0]?.start;
        return statusToHl7(envelope(), subject, { orderStatus, start }).bytes;
      }),
    );
    files.set(`rad-4-v${version}.hl7`, asLines(procedureMessages));
    files.set(`rad-3-v${version}.hl7`, asLines(statusMessages));
  }
  const items = planned.flatMap(worklistItemsOf);
  files.set('worklist.json', Buffer.from(`${JSON.stringify(items, null, 2)}\n`));
  return files;
}

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { toDicomJson } from '../../src/dicom/dataset.ts';
import { parseMessage } from '../../src/hl7/message.ts';
import { appointmentToHl7 } from '../../src/mapping/appointment-to-hl7.ts';
import { fillerOrderToHl7 } from '../../src/mapping/filler-order-to-hl7.ts';
import { orderRequestsFromHl7 } from '../../src/mapping/order-from-hl7.ts';
import { patientFromHl7, visitFromHl7 } from '../../src/mapping/patient-from-hl7.ts';
import { patientToHl7 } from '../../src/mapping/patient-to-hl7.ts';
import { procedureControls, procedureToHl7 } from '../../src/mapping/procedure-to-hl7.ts';
import { type SenderRules, startReading } from '../../src/mapping/reader.ts';
import { resultToHl7 } from '../../src/mapping/result-to-hl7.ts';
import type { Envelope, Hl7Version, OrderSubject } from '../../src/mapping/segments-to-hl7.ts';
import { statusToHl7 } from '../../src/mapping/status-to-hl7.ts';
import { stepToWorklist } from '../../src/mapping/step-to-worklist.ts';
import { fixedClock, localTimeOf } from '../../src/platform/clock.ts';
import { catalogueSchema } from '../../src/platform/catalogue-schema.ts';
import { type Ids, countedIds } from '../../src/platform/ids.ts';
import { registered, visitAfter } from '../../src/workflow/patient-changes.ts';
import { orderOfService, planProcedures, planSize } from '../../src/workflow/planning.ts';
import type { PlannedProcedure, PlannedStep } from '../../src/workflow/vocabulary.ts';

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

/** What the message of a case says, in the words of the department. */
function readCase(name: string) {
  const reading = startReading(readMessage(join(goldenFolder, name, 'in.hl7')), rules);
  const patient = patientFromHl7(reading);
  const visit = visitFromHl7(reading);
  return { patient, visit, requests: orderRequestsFromHl7(reading), remarks: reading.remarks };
}

/** The orders of a case as the department plans them, with counted numbers. */
function planCase({ patient: saidOfPatient, visit: said, requests }: ReturnType<typeof readCase>): Planned[] {
  const catalogue = catalogueSchema.parse(parse(readFileSync(join(goldenFolder, 'catalogue.yaml'), 'utf8')));
  const site = { catalogue, unknownProcedure: 'accept' as const };
  const patient = registered(undefined, saidOfPatient);
  const visit = said && {
    visitNumber: said.visitNumber,
    assigningAuthority: said.assigningAuthority,
    ...visitAfter(undefined, said, 'order'),
    visitStatus: 'OPEN' as const,
  };
  const ids = countedIds();
  const orders = requests.flatMap(({ order }) => order ?? []);
  return orders.map((order, index) => {
    const size = planSize(order, site);
    const numbered = Array.from({ length: Math.max(2, size.procedures, size.steps) }, (_, place) => place + 1);
    const identifiers = {
      requestedProcedureIds: numbered.map((n) => `RP${index + 1}0${n}`),
      studyInstanceUids: numbered.map(() => ids.uid()),
      scheduledProcedureStepIds: numbered.map((n) => `S${index + 1}0${n}`),
    };
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
        stepToWorklist(
          {
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
          },
          { application: subject.application },
        ),
      ),
    ),
  );
}

/** Messages one after another, segment ends as line ends, an empty line between two. */
function asLines(messages: readonly Uint8Array[]): Uint8Array {
  const pieces = messages.map((bytes) => Buffer.from(bytes).map((byte) => (byte === 0x0d ? 0x0a : byte)));
  return Buffer.concat(pieces.flatMap((piece, index) => (index === 0 ? [piece] : [Buffer.from('\n'), piece])));
}

/** The messages about a planned order, each with an envelope of its own; by file name without its version. */
type Writer = (planned: Planned, envelope: () => Envelope) => Uint8Array[];

const merged = {
  identifiers: [{ value: 'T1', assigningAuthority: 'SWF_OF' }],
  name: { family: 'UNKNOWN', given: 'PATIENT' },
};

const report = {
  resultStatus: 'F',
  lines: ['Findings: none.', '', 'Impression: normal & complete.'],
  reportedAt: '20260105101500',
  interpreter: { id: 'D9', family: 'REED', given: 'RUTH' },
} as const;

/** An order as the messages about one of its procedures show it. */
const about = (subject: OrderSubject, { serviceIndex }: PlannedProcedure): OrderSubject => {
  return { ...subject, order: orderOfService(subject.order, serviceIndex) };
};

const startOf = ({ procedures }: Planned): PlannedStep['start'] | undefined => procedures[0]?.steps[0]?.start;

/** In the order in which control ids are counted. */
const writers: Readonly<Record<string, Writer>> = {
  'rad-4': ({ subject, procedures }, envelope) =>
    procedures.map(
      (procedure) =>
        procedureToHl7(envelope(), about(subject, procedure), procedure, procedureControls.scheduled).bytes,
    ),
  'rad-3': (planned, envelope) =>
    (['IP', 'CM'] as const).map((orderStatus) => {
      const status = { orderControl: 'SC', orderStatus, start: startOf(planned) } as const;
      return statusToHl7(envelope(), planned.subject, status).bytes;
    }),
  'rad-3-order': (planned, envelope) =>
    (['SN', 'OC'] as const).map((orderControl) => {
      const procedureCode = planned.procedures[0]?.code;
      const news = { orderControl, start: startOf(planned), procedureCode };
      return fillerOrderToHl7(envelope(), planned.subject, news).bytes;
    }),
  'rad-13': ({ subject, procedures }, envelope) =>
    procedures.flatMap((procedure) =>
      (['changed', 'cancelled'] as const).map(
        (name) => procedureToHl7(envelope(), about(subject, procedure), procedure, procedureControls[name]).bytes,
      ),
    ),
  'rad-12': ({ subject: { patient, visit } }, envelope) => {
    const recordedAt = clock.now();
    return [
      patientToHl7(envelope(), { triggerEvent: 'A08', patient, visit, recordedAt }).bytes,
      patientToHl7(envelope(), { triggerEvent: 'A40', patient, visit, merged, recordedAt }).bytes,
    ];
  },
  oru: ({ subject, procedures }, envelope) =>
    procedures.map((procedure) => resultToHl7(envelope(), about(subject, procedure), procedure, report).bytes),
};

/** RAD-48 is of v2.4 for everybody. */
const appointments: Writer = ({ subject, procedures }, envelope) =>
  procedures.flatMap((procedure) =>
    (['S12', 'S15'] as const).map(
      (triggerEvent) => appointmentToHl7(envelope(), about(subject, procedure), procedure, { triggerEvent }).bytes,
    ),
  );

/** Everything that goes out for the order message of a case, by file name. */
export function renderCase(name: string): Map<string, Uint8Array> {
  const read = readCase(name);
  const planned = planCase(read);
  const files = new Map<string, Uint8Array>([['read.json', Buffer.from(`${JSON.stringify(read, null, 2)}\n`)]]);
  const write = (writer: Writer, version: Hl7Version, ids: Ids): Uint8Array =>
    asLines(planned.flatMap((one) => writer(one, () => envelopeOf(name, version, ids.controlId()))));
  for (const version of ['2.3.1', '2.5.1'] as const) {
    const ids = countedIds();
    for (const [kind, writer] of Object.entries(writers)) {
      files.set(`${kind}-v${version}.hl7`, write(writer, version, ids));
    }
  }
  files.set('rad-48-v2.4.hl7', write(appointments, '2.4', countedIds()));
  const items = planned.flatMap(worklistItemsOf);
  files.set('worklist.json', Buffer.from(`${JSON.stringify(items, null, 2)}\n`));
  return files;
}

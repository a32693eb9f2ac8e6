import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN, encodeDataset } from '../../src/dicom/codec.ts';
import { openAssociation } from '../../src/dicom/client-association.ts';
import type { Dataset } from '../../src/dicom/dataset.ts';
import { commandNumber, encodeCommand } from '../../src/dicom/dimse.ts';
import { commandField } from '../../src/dicom/status.ts';
import { type NameIn, names, orderIn } from '../support/character-set-names.ts';
import { connectSender } from '../support/messages.ts';
import { completed, inProgress, newUid, sopClass, stepsOf } from '../support/mpps.ts';
import { type TestServer, startTestServer } from '../support/server.ts';
import { dcmtk, findscu } from './dcmtk.ts';
import { describeWith } from './describe-with.ts';
import { type DicomJson, itemsOf, wholeNameOf } from './dicom-json.ts';
import { callOf, scratch } from './programs.ts';
import { pydicomPython, readByPydicom, writtenByPydicom } from './pydicom.ts';

const mpps = sopClass.modalityPerformedProcedureStep;

/** One name on its way, and what became of it. */
interface Journey extends NameIn {
  readonly aeTitle: string;
  readonly patientId: string;
  readonly placerOrderNumber: string;
  readonly characterSet: string[];
  readonly transferSyntaxUid: string;
}

// pydicom 2 does not know ISO_IR 203.
const journeys: readonly Journey[] = names
  .filter(({ terms }) => terms !== 'ISO_IR 203')
  .map((one, index) => ({
    ...one,
    aeTitle: `ST${index}`,
    patientId: `PN${index}`,
    placerOrderNumber: `N${index}`,
    characterSet: one.terms.split('\\'),
    transferSyntaxUid: index % 2 === 0 ? EXPLICIT_VR_LITTLE_ENDIAN : IMPLICIT_VR_LITTLE_ENDIAN,
  }));

/** Does it for each of all, in order, and keeps what comes by patient. */
async function forEach<T>(work: (journey: Journey) => Promise<T>): Promise<Map<string, T>> {
  const results = new Map<string, T>();
  for (const journey of journeys) results.set(journey.patientId, await work(journey));
  return results;
}

/** The same by pydicom, in one go. */
async function byPydicom<T>(convert: (all: readonly Journey[]) => Promise<T[]>): Promise<Map<string, T>> {
  const results = await convert(journeys);
  return new Map(journeys.map(({ patientId }, index) => [patientId, results[index] as T]));
}

const termsOf = (row: DicomJson | undefined): unknown[] => (row?.['00080005']?.Value ?? []).map((term) => term ?? '');

describeWith(
  'names from HL7 to worklist and MPPS, read and written by pydicom (PS3.3 C.12.1.1.2)',
  { findscu: dcmtk.findscu, 'python3-pydicom': pydicomPython !== undefined },
  () => {
    const folder = scratch();
    let server: TestServer;
    let configured: Map<string, DicomJson>;
    let declared: Map<string, DicomJson>;
    const sent = { create: new Map<string, Buffer>(), set: new Map<string, Buffer>() };
    let statuses: Map<string, (number | undefined)[]>;

    /** The one row of a query as findscu has written it to a file. */
    async function rowOf(calling: string, options: readonly string[], files: readonly string[] = []): Promise<Buffer> {
      const own = scratch();
      try {
        const { said } = await findscu(callOf(server.ports.dicom, calling), ['-X', '-od', own.path, ...options], files);
        const [file, second] = readdirSync(own.path);
        if (!file || second) throw new Error(`there is not one row: ${said}`);
        return readFileSync(join(own.path, file));
      } finally {
        own.remove();
      }
    }

    async function order(): Promise<void> {
      const sender = await connectSender(server.ports.hl7);
      for (const journey of journeys) {
        const answer = await sender.send(orderIn(journey, journey).toString('latin1'), 'latin1');
        expect(answer.code).toBe('AA');
      }
      sender.end();
    }

    async function askWorklist(): Promise<void> {
      const keys = ['-k', 'PatientName', '-k', 'ScheduledProcedureStepSequence[0].ScheduledProcedureStepID'];
      const byStation = await forEach(({ aeTitle, patientId }) =>
        rowOf(aeTitle, [...keys, '-k', `PatientID=${patientId}`]),
      );
      const queries = await byPydicom((all) =>
        writtenByPydicom(
          all.map(({ name, patientId, characterSet }) => ({
            content: { PatientName: name, PatientID: patientId },
            transferSyntaxUid: EXPLICIT_VR_LITTLE_ENDIAN,
            characterSet,
            isFile: true,
          })),
        ),
      );
      const byQuery = await forEach(({ patientId }) => {
        const file = join(folder.path, `${patientId}.dcm`);
        writeFileSync(file, queries.get(patientId) ?? '');
        return rowOf('ANYBODY', [], [file]);
      });
      const read = (rows: Map<string, Buffer>) =>
        byPydicom((all) => readByPydicom(all.map(({ patientId }) => ({ bytes: rows.get(patientId) ?? Buffer.of() }))));
      configured = await read(byStation);
      declared = await read(byQuery);
    }

    /** Sends the bytes as they are, by a modality that has one transfer syntax; gives the status. */
    async function tell(
      { aeTitle, patientId, transferSyntaxUid }: Journey,
      uids: ReadonlyMap<string, string>,
      operation: 'create' | 'set',
    ): Promise<number | undefined> {
      const peer = { host: '127.0.0.1', port: server.ports.dicom, callingAeTitle: aeTitle, calledAeTitle: 'SWF_OF' };
      const association = await openAssociation({ ...peer, timeoutMs: 20_000 }, mpps, [[transferSyntaxUid]]);
      const uid = uids.get(patientId) ?? '';
      const command =
        operation === 'create'
          ? { CommandField: commandField.nCreate, AffectedSOPClassUID: mpps, AffectedSOPInstanceUID: uid }
          : { CommandField: commandField.nSet, RequestedSOPClassUID: mpps, RequestedSOPInstanceUID: uid };
      const head = encodeCommand({ ...command, MessageID: 1, CommandDataSetType: 1 });
      association.send([head, sent[operation].get(patientId)]);
      const response = await association.receive();
      await association.release();
      return commandNumber(response.command, 'Status');
    }

    async function perform(): Promise<void> {
      const uids = await forEach(async () => newUid());
      const steps = await forEach(({ placerOrderNumber }) => stepsOf(server.store, placerOrderNumber));
      const write = (contentOf: (journey: Journey) => Parameters<typeof inProgress>[1]) =>
        byPydicom((all) => writtenByPydicom(all.map((one) => ({ ...one, content: contentOf(one) ?? {} }))));
      sent.create = await write(({ patientId }) =>
        inProgress(steps.get(patientId) ?? [], { PatientName: wholeNameOf(configured.get(patientId)) }),
      );
      sent.set = await write(({ patientId }) => {
        const { PerformedSeriesSequence, ...end } = completed([newUid()]);
        const [series] = PerformedSeriesSequence as [object];
        const OperatorsName = wholeNameOf(configured.get(patientId));
        return { ...end, PerformedSeriesSequence: [{ ...series, OperatorsName }] };
      });
      statuses = await forEach(async (journey) => [
        await tell(journey, uids, 'create'),
        await tell(journey, uids, 'set'),
      ]);
    }

    beforeAll(async () => {
      const stations = journeys.map(({ aeTitle, terms }) => ({ aeTitle, characterSet: terms }));
      server = await startTestServer({ stations });
      await order();
      await askWorklist();
      await perform();
    });
    afterAll(async () => {
      folder.remove();
      await server.stop();
    });

    it.each(journeys)(
      'given $set, when its station asks the worklist, then pydicom reads the name in $terms',
      ({ patientId, name, characterSet }) => {
        const row = configured.get(patientId);
        expect([termsOf(row), wholeNameOf(row)]).toEqual([characterSet, name]);
      },
    );

    it.each(journeys)(
      'given $set, when anybody asks for the name in $terms, then the name is found and comes in the same set',
      ({ patientId, name, characterSet }) => {
        const row = declared.get(patientId);
        expect([termsOf(row), wholeNameOf(row)]).toEqual([characterSet, name]);
      },
    );

    it.each(journeys)(
      'given an MPPS with the name in $terms, when it was created and ended, then the store has the text and the bytes of both (PS3.4 F.7.2)',
      async ({ patientId, name, aeTitle, transferSyntaxUid, characterSet }) => {
        expect(statuses.get(patientId)).toEqual([0, 0]);
        const kept = await server.store.prisma.performedProcedureStep.findFirstOrThrow({
          where: { callingAeTitle: aeTitle },
        });
        // what a relay would send
        const bytes = encodeDataset(kept.dataset as unknown as Dataset, transferSyntaxUid);
        const [row] = await readByPydicom([{ bytes, transferSyntaxUid }]);
        const [series] = itemsOf(row, '00400340');
        expect([termsOf(row), wholeNameOf(row), wholeNameOf(series, '00081070')]).toEqual([characterSet, name, name]);
        const raws = await server.store.prisma.message.findMany({
          where: { sendingApplication: aeTitle, transaction: { in: ['RAD-6', 'RAD-7'] } },
          orderBy: { id: 'asc' },
        });
        const given = await Promise.all(
          raws.map(async ({ id }) => {
            const answer = await fetch(`http://127.0.0.1:${server.ports.http}/api/messages/${id}`);
            return Buffer.from(((await answer.json()) as { raw: string }).raw, 'base64');
          }),
        );
        expect(given).toEqual([sent.create.get(patientId), sent.set.get(patientId)]);
      },
    );
  },
);

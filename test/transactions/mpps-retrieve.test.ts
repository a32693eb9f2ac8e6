import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN, encodeDataset } from '../../src/dicom/codec.ts';
import { type DatasetInput, dataset, tagOf } from '../../src/dicom/dataset.ts';
import { performedStep } from '../../src/http/schemas.ts';
import { type DimsePeer, dimsePeer } from '../support/dimse-peer.ts';
import { type Sender, connectSender, orm, serial } from '../support/messages.ts';
import { type StepOnWorklist, completed, inProgress, newUid, sopClass, stepsOf } from '../support/mpps.ts';
import { type TestServer, startTestServer } from '../support/server.ts';

let server: TestServer;
let sender: Sender;
let implicit: DimsePeer;
let explicit: DimsePeer;
beforeAll(async () => {
  server = await startTestServer();
  sender = await connectSender(server.ports.hl7);
  implicit = await dimsePeer(server.ports.dicom);
  explicit = await dimsePeer(server.ports.dicom, EXPLICIT_VR_LITTLE_ENDIAN);
});
afterAll(async () => {
  sender.end();
  implicit.end();
  explicit.end();
  await server.stop();
});

async function orderedStep(): Promise<StepOnWorklist> {
  const placerOrderNumber = `M${serial()}`;
  await sender.send(orm([{ placerOrderNumber: `${placerOrderNumber}^HIS` }]));
  const [step] = await stepsOf(server.store, placerOrderNumber);
  if (!step) throw new Error('the order has no step');
  return step;
}

// Everything that a data set can hold: letters, groups of a name, numbers, bytes, private attributes, items within items.
const rich: DatasetInput = {
  SpecificCharacterSet: ['ISO 2022 IR 6', 'ISO 2022 IR 100', 'ISO 2022 IR 87'],
  PatientName: 'Müller^Jörg=山田^太郎=やまだ^たろう',
  EntranceDoseInmGy: '12.50',
  TotalNumberOfExposures: 3,
  ExposureDoseSequence: [{ RadiationMode: 'CONTINUOUS', KVP: '120', ExposureTime: '400' }],
  BillingProcedureStepSequence: [{ CodeValue: 'B1', CodingSchemeDesignator: 'SITE', CodeMeaning: 'Tarif für Kopf' }],
  FilmConsumptionSequence: [{ NumberOfFilms: 2, MediumType: 'BLUE FILM', FilmSizeID: '14INX17IN' }],
  BillingSuppliesAndDevicesSequence: [
    {
      BillingItemSequence: [{ CodeValue: 'KM', CodingSchemeDesignator: 'SITE', CodeMeaning: 'Contrast medium' }],
      QuantitySequence: [{ Quantity: '50.0' }],
    },
  ],
  '00290010': 'ACME 1.0',
  '00291001': Uint8Array.of(0, 1, 2, 0xfe, 0xff, 0),
  '00291002': [{ '00291003': Uint8Array.from(Buffer.from('Müll', 'latin1')) }],
};

/** An instance that was created with all of it, and what it was created with. */
async function created(change: DatasetInput = rich) {
  const uid = newUid();
  const content = inProgress([await orderedStep()], change);
  expect((await explicit.create(uid, content)).status).toBe(0x0000);
  return { uid, content };
}

describe('N-GET of an MPPS (PS3.4 F.8, PS3.7 10.1.2)', () => {
  it('given an N-CREATE and an N-SET, then all attributes come back to the byte, in both transfer syntaxes', async () => {
    const { uid, content } = await created();
    const change = completed([newUid()], { PerformedProcedureStepDescription: 'zwei Ebenen, geröntgt' });
    expect((await implicit.set(uid, change)).status).toBe(0x0000);
    for (const [peer, syntax] of [
      [implicit, IMPLICIT_VR_LITTLE_ENDIAN],
      [explicit, EXPLICIT_VR_LITTLE_ENDIAN],
    ] as const) {
      const said = await peer.get(uid);
      expect([said.status, said.sopInstanceUid]).toEqual([0x0000, uid]);
      expect(said.raw).toEqual(encodeDataset(dataset({ ...content, ...change }), syntax));
    }
  });

  it('given an Attribute Identifier List, then the answer has these, and a character set where its text needs one', async () => {
    const { uid, content } = await created();
    const ask = async (...keywords: string[]) => (await implicit.get(uid, keywords.map(tagOf))).dataset;
    const dose = { EntranceDoseInmGy: content['EntranceDoseInmGy'], Modality: content['Modality'] };
    expect(await ask('EntranceDoseInmGy', 'Modality')).toEqual(dataset(dose));
    const billing = { BillingProcedureStepSequence: content['BillingProcedureStepSequence'] };
    const set = { SpecificCharacterSet: content['SpecificCharacterSet'] };
    expect(await ask('BillingProcedureStepSequence')).toEqual(dataset({ ...billing, ...set }));
    expect(await ask('PerformedProcedureStepStatus')).toEqual({ PerformedProcedureStepStatus: ['IN PROGRESS'] });
  });

  it('given attributes that the instance lacks, then type 2 is empty, type 3 left out, others are listed with 0107', async () => {
    const { uid } = await created({ PatientSex: undefined });
    const asked = ['PatientSex', 'FilmConsumptionSequence', 'Modality'];
    expect(await implicit.get(uid, asked.map(tagOf))).toMatchObject({
      status: 0x0000,
      attributes: [],
      dataset: { PatientSex: [], Modality: ['DX'] },
    });
    const said = await implicit.get(uid, [tagOf('Modality'), tagOf('PixelData'), '00291099']);
    expect(said).toMatchObject({ status: 0x0107, attributes: [tagOf('PixelData'), '00291099'] });
    expect(said.dataset).toEqual({ Modality: ['DX'] });
  });

  it('given an instance that is not known, or none named, then 0112 without a data set', async () => {
    for (const uid of [newUid(), undefined]) {
      expect(await implicit.get(uid)).toMatchObject({ status: 0x0112, raw: undefined });
    }
  });

  it('may name the class of the instance in place of its own; the MPPS class itself has no N-GET (0211)', async () => {
    const { uid } = await created();
    const mpps = sopClass.modalityPerformedProcedureStep;
    expect((await implicit.get(uid, [tagOf('Modality')], mpps)).status).toBe(0x0000);
    expect((await implicit.get(uid, [tagOf('Modality')], sopClass.instanceAvailabilityNotification)).status).toBe(
      0x0122,
    );
    const command = { RequestedSOPClassUID: mpps, RequestedSOPInstanceUID: uid, CommandField: 0x110 };
    expect((await implicit.request(1, command)).status).toBe(0x0211);
    const create = { AffectedSOPClassUID: sopClass.modalityPerformedProcedureStepRetrieve, CommandField: 0x140 };
    expect((await implicit.request(3, create, inProgress([]))).status).toBe(0x0211);
  });

  it('changes nothing and is not journalled', async () => {
    const { uid } = await created();
    const before = await server.store.prisma.message.count();
    await implicit.get(uid);
    expect(await server.store.prisma.message.count()).toBe(before);
  });

  it('given values that their VR does not allow, then they come back as they came', async () => {
    const uid = newUid();
    const whole = encodeDataset(
      dataset(inProgress([await orderedStep()], { PatientID: 'P' })),
      IMPLICIT_VR_LITTLE_ENDIAN,
    );
    const odd = Buffer.from(whole.toString('latin1').replace('PPS1', 'P\x01S\xfc'), 'latin1');
    expect(odd).not.toEqual(whole);
    expect((await implicit.create(uid, odd)).status).toBe(0x0000);
    expect((await implicit.get(uid)).raw).toEqual(odd);
  });
});

describe('GET /api/performed-steps/{sopInstanceUid}', () => {
  const get = async (uid: string) => {
    const response = await fetch(`http://127.0.0.1:${server.ports.http}/api/performed-steps/${uid}`);
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };

  it('given an MPPS with dose, billing and material, then they can be read beside its status and what it performs', async () => {
    const step = await orderedStep();
    const uid = newUid();
    await explicit.create(uid, inProgress([step], rich));
    const { status, body } = await get(uid);
    expect(performedStep.parse(body)).toEqual(body);
    expect([status, body]).toMatchObject([
      200,
      {
        sopInstanceUid: uid,
        performedProcedureStepStatus: 'IN PROGRESS',
        exception: null,
        callingAeTitle: 'DX1',
        scheduledSteps: [
          {
            scheduledProcedureStepId: step.scheduledProcedureStepId,
            stepStatus: 'STARTED',
            requestedProcedureId: step.requestedProcedureId,
          },
        ],
      },
    ]);
    expect(body['dataset']).toMatchObject({
      '00100010': { vr: 'PN', Value: [{ Alphabetic: 'Müller^Jörg', Ideographic: '山田^太郎' }] },
      '00400301': { vr: 'US', Value: [3] },
      '00408302': { vr: 'DS', Value: [12.5] },
      '00400320': { vr: 'SQ', Value: [{ '00080104': { vr: 'LO', Value: ['Tarif für Kopf'] } }] },
      '00400321': { vr: 'SQ', Value: [{ '21000170': { vr: 'IS', Value: [2] } }] },
      '00400324': { vr: 'SQ' },
      '00291001': { vr: 'UN', InlineBinary: Buffer.of(0, 1, 2, 0xfe, 0xff, 0).toString('base64') },
    });
  });

  it('given nobody has sent such an instance, then it is 404', async () => {
    expect(await get(newUid())).toMatchObject({ status: 404, body: { type: 'unknown-key' } });
  });
});

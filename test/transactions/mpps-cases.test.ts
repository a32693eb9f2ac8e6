import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DatasetInput } from '../../src/dicom/dataset.ts';
import { adt, orm, serial } from '../support/messages.ts';
import {
  type StepOnWorklist,
  completed,
  inProgress,
  modality,
  newUid,
  notify,
  notification,
  scheduledItem,
  stepsOf,
} from '../support/mpps.ts';
import { type OrderSite, givenUp, startOrderSite } from '../support/order-site.ts';

/** How MPPS look in each case of RAD TF-2 4.6.4.1.2.3, and what the department does. */

let site: OrderSite;
let mr: ReturnType<typeof modality>;
beforeAll(async () => {
  site = await startOrderSite();
  mr = modality(site.server.ports.dicom, 'MR1');
});
afterAll(() => site.stop());

interface Case {
  readonly placerOrderNumber: string;
  readonly steps: StepOnWorklist[];
  readonly step: StepOnWorklist;
}

async function ordered(service = 'WRIST'): Promise<Case> {
  const placerOrderNumber = `C${serial()}`;
  await site.send(orm([{ placerOrderNumber: `${placerOrderNumber}^HIS`, service: `${service}^^TESTPLAN` }]));
  const steps = await stepsOf(site.server.store, placerOrderNumber);
  await site.news();
  const [step] = steps;
  if (!step) throw new Error('the order has no step');
  return { placerOrderNumber, steps, step };
}

/** Order, procedures and steps as they stand, and how many steps the worklist offers. */
async function standing({ placerOrderNumber }: Case) {
  const order = await site.order({ placerOrderNumber });
  const procedures = order.requestedProcedures;
  return {
    order: order.orderStatus,
    procedures: procedures.map(({ state }) => state).join(' '),
    steps: procedures.flatMap(({ steps }) => steps.map(({ stepStatus }) => stepStatus)).join(' '),
    offered: (await site.offered(placerOrderNumber)).length,
  };
}

const exceptionOf = async (uid: string): Promise<string | null> =>
  (await site.server.store.prisma.performedProcedureStep.findUniqueOrThrow({ where: { sopInstanceUid: uid } }))
    .exception;

/** N-CREATE and, unless it goes on, the final N-SET; the UID of the MPPS. */
async function perform(content: DatasetInput, end?: DatasetInput): Promise<string> {
  const uid = newUid();
  expect(await mr.create(uid, content)).toBe(0x0000);
  if (end) expect(await mr.set(uid, end)).toBe(0x0000);
  return uid;
}

const done = (): DatasetInput => completed([newUid()]);

const noStep = (studyInstanceUid: string): DatasetInput => ({
  StudyInstanceUID: studyInstanceUid,
  ReferencedStudySequence: [],
  AccessionNumber: null,
  RequestedProcedureID: null,
  RequestedProcedureDescription: null,
  ScheduledProcedureStepID: null,
  ScheduledProcedureStepDescription: null,
  ScheduledProtocolCodeSequence: [],
});

/** An N-CREATE of something that nobody had ordered. */
const unscheduled = (studyInstanceUid: string, patientId: string | null, change: DatasetInput = {}): DatasetInput =>
  inProgress([], {
    ScheduledStepAttributesSequence: [noStep(studyInstanceUid)],
    PatientID: patientId,
    PatientName: 'Typed^By Hand',
    Modality: 'MR',
    PerformedStationAETitle: 'MR1',
    PerformedProcedureStepDescription: 'Knee left',
    ...change,
  });

async function procedureOf(studyInstanceUid: string) {
  const { store, ports } = site.server;
  const row = await store.prisma.requestedProcedure.findUnique({ where: { studyInstanceUid } });
  if (!row) return undefined;
  const response = await fetch(`http://127.0.0.1:${ports.http}/api/procedures/${row.requestedProcedureId}`);
  return (await response.json()) as Record<string, unknown> & { transactions: { happened: boolean }[] };
}

describe('simple case: one step, one MPPS', () => {
  it('moves step, procedure and order, and takes the step off the worklist', async () => {
    const one = await ordered();
    const uid = await perform(inProgress(one.steps));
    expect(await standing(one)).toEqual({ order: 'IP', procedures: 'inProgress', steps: 'STARTED', offered: 1 });
    await mr.set(uid, done());
    expect(await standing(one)).toEqual({ order: 'CM', procedures: 'completed', steps: 'COMPLETED', offered: 0 });
    expect(await site.news()).toEqual(['OP RAD-3 SC/IP', 'OP RAD-3 SC/CM']);
  });
});

describe('append case: a further MPPS for the same step after the first is final', () => {
  it('starts the step again and completes it again; the placer hears CM once', async () => {
    const one = await ordered();
    await perform(inProgress(one.steps), done());
    const further = await perform(inProgress(one.steps, { PerformedProcedureStepID: 'PPS2' }));
    expect(await standing(one)).toEqual({ order: 'IP', procedures: 'inProgress', steps: 'STARTED', offered: 1 });
    await mr.set(further, done());
    expect(await standing(one)).toEqual({ order: 'CM', procedures: 'completed', steps: 'COMPLETED', offered: 0 });
    expect(await exceptionOf(further)).toBeNull();
    expect(await site.news()).toEqual(['OP RAD-3 SC/IP', 'OP RAD-3 SC/CM']);
  });

  it('is available only when the images of both MPPS are', async () => {
    const one = await ordered();
    const images = [newUid(), newUid()] as const;
    await perform(inProgress(one.steps), completed([images[0]]));
    await notify(site.server.ports.dicom, notification(one.step.studyInstanceUid, [images[0]]));
    await perform(inProgress(one.steps), completed([images[1]]));
    const { studyInstanceUid } = one.step;
    expect(await procedureOf(studyInstanceUid)).toMatchObject({ availability: 'partial' });
    await notify(site.server.ports.dicom, notification(studyInstanceUid, [images[1]]));
    expect(await procedureOf(studyInstanceUid)).toMatchObject({
      availability: 'available',
      instances: { named: 2, available: 2 },
    });
  });
});

describe('group case: one MPPS for several steps', () => {
  it('of one procedure: both steps follow its status', async () => {
    const one = await ordered('SPINE');
    const uid = await perform(inProgress(one.steps));
    expect(await standing(one)).toMatchObject({ order: 'IP', steps: 'STARTED STARTED' });
    await mr.set(uid, done());
    expect(await standing(one)).toEqual({
      order: 'CM',
      procedures: 'completed',
      steps: 'COMPLETED COMPLETED',
      offered: 0,
    });
  });

  it('of two procedures under one new study UID: every procedure follows', async () => {
    const one = await ordered('TRUNK');
    const studyInstanceUid = newUid();
    const items = one.steps.map((step) => ({
      ...scheduledItem(step),
      StudyInstanceUID: studyInstanceUid,
      ReferencedStudySequence: [
        { ReferencedSOPClassUID: '1.2.840.10008.3.1.2.3.1', ReferencedSOPInstanceUID: step.studyInstanceUid },
      ],
    }));
    await perform(inProgress(one.steps, { ScheduledStepAttributesSequence: items }), done());
    expect(await standing(one)).toMatchObject({ order: 'CM', procedures: 'completed completed' });
    expect(await procedureOf(studyInstanceUid)).toBeUndefined();
  });
});

describe('split case', () => {
  it('one step, two MPPS side by side: IP with the first, CM with the last', async () => {
    const one = await ordered();
    const uids = [await perform(inProgress(one.steps)), await perform(inProgress(one.steps))] as const;
    await mr.set(uids[0], done());
    expect(await standing(one)).toMatchObject({ order: 'IP', steps: 'STARTED' });
    await mr.set(uids[1], done());
    expect(await site.news()).toEqual(['OP RAD-3 SC/IP', 'OP RAD-3 SC/CM']);
  });

  it('two steps, an MPPS each: IP with the first, CM with the last', async () => {
    const one = await ordered('SPINE');
    for (const step of one.steps) await perform(inProgress([step]), done());
    expect(await standing(one)).toMatchObject({ order: 'CM', steps: 'COMPLETED COMPLETED' });
    expect(await site.news()).toEqual(['OP RAD-3 SC/IP', 'OP RAD-3 SC/CM']);
  });
});

describe('unscheduled case: the modality made up the study, all other values are empty', () => {
  it('makes a requested procedure with a step under its Study Instance UID at once, off the worklist, and tells nobody', async () => {
    const study = newUid();
    const uid = await perform(unscheduled(study, `U${serial()}`));
    const procedure = await procedureOf(study);
    expect(procedure).toMatchObject({
      state: 'inProgress',
      orderStatus: null,
      unreconciled: true,
      placerOrderNumber: null,
      studyInstanceUid: study,
      steps: [
        { stepStatus: 'STARTED', modality: 'MR', scheduledStationAeTitles: ['MR1'], start: '2026-01-05T10:00:00' },
      ],
      performedSteps: [{ sopInstanceUid: uid, performedProcedureStepStatus: 'IN PROGRESS' }],
    });
    expect(procedure?.transactions.map(({ happened }) => happened)).toEqual([
      ...[false, false, false, false],
      ...[true, false, false, false],
    ]);
    expect(await exceptionOf(uid)).toBe('unscheduled, unknown-patient');
    const { datasets } = await mr.find({ StudyInstanceUID: study });
    expect(datasets).toEqual([]);
    expect(await site.news()).toEqual([]);
  });

  it('is completed by its N-SET, its images are followed, and it is no order', async () => {
    const [study, patientId, image] = [newUid(), `U${serial()}`, newUid()];
    await perform(unscheduled(study, patientId), completed([image]));
    await notify(site.server.ports.dicom, notification(study, [image]));
    expect(await procedureOf(study)).toMatchObject({
      state: 'completed',
      availability: 'available',
      orderStatus: null,
    });
    const orders = await fetch(`http://127.0.0.1:${site.server.ports.http}/api/orders?patientId=${patientId}`);
    expect(await orders.json()).toEqual({ items: [], next: null });
    expect(await site.news()).toEqual([]);
  });

  it('of a registered patient is his: by his number, never by his name', async () => {
    const patientId = `U${serial()}`;
    await site.send(adt('A04', { identifier: `${patientId}^^^CLINIC`, name: 'Registered^Rita' }));
    const [his, others] = [newUid(), newUid()];
    const mine = await perform(unscheduled(his, patientId, { IssuerOfPatientID: 'CLINIC' }));
    const stranger = await perform(unscheduled(others, `${patientId}X`, { PatientName: 'Registered^Rita' }));
    expect([await exceptionOf(mine), await exceptionOf(stranger)]).toEqual([
      'unscheduled, patient-differs',
      'unscheduled, unknown-patient',
    ]);
    expect(await procedureOf(his)).toMatchObject({ patientId });
  });

  it('of a number that another authority gave is somebody else', async () => {
    const patientId = `U${serial()}`;
    await site.send(adt('A04', { identifier: `${patientId}^^^CLINIC` }));
    const uid = await perform(unscheduled(newUid(), patientId, { IssuerOfPatientID: 'ELSEWHERE' }));
    expect(await exceptionOf(uid)).toBe('unscheduled, unknown-patient');
  });

  it('without a Patient ID, twice: two temporary patients, each with his procedure', async () => {
    const studies = [newUid(), newUid()];
    for (const study of studies) await perform(unscheduled(study, null));
    const rows = await site.server.store.prisma.requestedProcedure.findMany({
      where: { studyInstanceUid: { in: studies } },
      include: { order: { include: { patient: true } } },
    });
    expect(rows.map(({ order }) => order.patient.temporary)).toEqual([true, true]);
    expect(new Set(rows.map(({ order }) => order.patientId)).size).toBe(2);
  });

  it('that goes on under the same study belongs to the same procedure', async () => {
    const [study, patientId] = [newUid(), `U${serial()}`];
    await perform(unscheduled(study, patientId), done());
    await perform(unscheduled(study, patientId), done());
    expect(await procedureOf(study)).toMatchObject({
      state: 'completed',
      performedSteps: [{ performedProcedureStepStatus: 'COMPLETED' }, { performedProcedureStepStatus: 'COMPLETED' }],
    });
  });

  it('created twice in the same instant under one study makes one procedure', async () => {
    const [study, patientId] = [newUid(), `U${serial()}`];
    const other = modality(site.server.ports.dicom, 'MR2');
    const statuses = await Promise.all([
      mr.create(newUid(), unscheduled(study, patientId)),
      other.create(newUid(), unscheduled(study, patientId)),
    ]);
    expect(statuses).toEqual([0, 0]);
    expect(await site.server.store.prisma.requestedProcedure.count({ where: { studyInstanceUid: study } })).toBe(1);
  });

  it('that fits an open step of the patient at that station within four hours is a suggestion and no match', async () => {
    const placerOrderNumber = `C${serial()}`;
    const order = {
      placerOrderNumber: `${placerOrderNumber}^HIS`,
      service: 'SPINE^^TESTPLAN',
      obr36: '20260105120000',
    };
    const patientId = `U${serial()}`;
    await site.send(orm([order], { identifier: `${patientId}^^^CLINIC` }));
    const uid = await perform(unscheduled(newUid(), patientId));
    const response = await fetch(`http://127.0.0.1:${site.server.ports.http}/api/unscheduled?limit=5`);
    const { items } = (await response.json()) as { items: { sopInstanceUid: string }[] };
    const steps = await stepsOf(site.server.store, placerOrderNumber);
    expect(items.find((one) => one.sopInstanceUid === uid)).toMatchObject({
      exception: 'unscheduled, patient-differs',
      suggestedProcedureStepIds: steps.map(({ scheduledProcedureStepId }) => scheduledProcedureStepId),
    });
    expect(await standing({ placerOrderNumber } as Case)).toMatchObject({ steps: 'SCHEDULED SCHEDULED' });
    await site.news();
  });
});

describe('wrong worklist entry chosen: DISCONTINUED with 110514', () => {
  it('opens the step again, offers it again, and counts none of its images', async () => {
    const one = await ordered();
    const image = newUid();
    const uid = await perform(inProgress(one.steps), { ...completed([image]), ...givenUp('110514') });
    expect(await standing(one)).toEqual({ order: 'SC', procedures: 'scheduled', steps: 'SCHEDULED', offered: 1 });
    expect(await exceptionOf(uid)).toBe('wrong-entry');
    await notify(site.server.ports.dicom, notification(one.step.studyInstanceUid, [image]));
    const { studyInstanceUid } = one.step;
    expect(await procedureOf(studyInstanceUid)).toMatchObject({ instances: { named: 0 }, availability: 'unknown' });
    await site.news();
  });
});

describe('abandoned', () => {
  const abandoned = ['without images', 'with images'] as const;
  const end = (what: (typeof abandoned)[number], code: string): DatasetInput => ({
    ...completed(what === 'with images' ? [newUid()] : []),
    ...givenUp(code),
  });

  it.each(abandoned)(
    '%s for a reason that ends the examination: step, procedure and order are discontinued',
    async (what) => {
      const one = await ordered();
      const uid = await perform(inProgress(one.steps), end(what, '110504'));
      expect(await standing(one)).toEqual({
        order: 'DC',
        procedures: 'discontinued',
        steps: 'DISCONTINUED',
        offered: 0,
      });
      expect(await exceptionOf(uid)).toBe('discontinued');
      expect(await site.news()).toEqual(['IM RAD-13 DC/CA', 'OP RAD-3 SC/IP', 'OP RAD-3 SC/DC', 'RM RAD-13 DC/CA']);
    },
  );

  it.each(abandoned)('%s for any other reason: a person decides, the step stays started and offered', async (what) => {
    const one = await ordered();
    const uid = await perform(inProgress(one.steps), end(what, '110501'));
    expect(await standing(one)).toEqual({ order: 'IP', procedures: 'inProgress', steps: 'STARTED', offered: 1 });
    expect(await exceptionOf(uid)).toBe('discontinued');
    expect(await site.news()).toEqual(['OP RAD-3 SC/IP']);
  });

  it.each(['110510', '110511'])('because the order should not be there (%s): RAD-3 says OC', async (code) => {
    const one = await ordered();
    await perform(inProgress(one.steps), end('without images', code));
    expect(await standing(one)).toMatchObject({ order: 'DC', steps: 'DISCONTINUED', offered: 0 });
    const news = await site.news();
    expect(news.map((line) => line.replace(/OC\/.*$/, 'OC'))).toEqual([
      'IM RAD-13 DC/CA',
      'OP RAD-3 SC/IP',
      'OP RAD-3 OC',
      'RM RAD-13 DC/CA',
    ]);
  });

  it.each(['110502', '110512'])(
    'because what was ordered is wrong (%s): on hold, off the worklist until it is released',
    async (code) => {
      const one = await ordered();
      await perform(inProgress(one.steps), end('without images', code));
      expect(await standing(one)).toEqual({ order: 'HD', procedures: 'held', steps: 'SCHEDULED', offered: 0 });
      const { status } = await site.post(
        `/api/procedures/${one.step.requestedProcedureId}/release`,
        {},
        'side corrected',
      );
      expect(status).toBe(200);
      expect(await standing(one)).toMatchObject({ order: 'SC', offered: 1 });
      await site.news();
    },
  );
});

describe('performed differs from scheduled', () => {
  it('is taken as it is: the scheduled codes stay in the item, what was done stands beside them', async () => {
    const one = await ordered();
    const code = { CodeValue: 'ELBOW', CodingSchemeDesignator: 'TESTPLAN', CodeMeaning: 'Elbow' };
    const uid = await perform(inProgress(one.steps, { ProcedureCodeSequence: [code] }), done());
    const { dataset } = await site.server.store.prisma.performedProcedureStep.findUniqueOrThrow({
      where: { sopInstanceUid: uid },
    });
    expect(dataset).toMatchObject({ ProcedureCodeSequence: [{ CodeValue: ['ELBOW'] }] });
    expect(await standing(one)).toMatchObject({ order: 'CM' });
    await site.news();
  });
});

describe('evidence creator (RAD-20, RAD-21)', () => {
  const workstation = (studyInstanceUid: string): DatasetInput =>
    unscheduled(studyInstanceUid, null, { Modality: 'PR', PerformedStationAETitle: 'WORKSTATION' });

  it('works on the images of a procedure: no step moves, its instances count, nobody is told', async () => {
    const one = await ordered();
    const image = newUid();
    await perform(inProgress(one.steps), completed([image]));
    await site.news();
    const { studyInstanceUid } = one.step;
    await notify(site.server.ports.dicom, notification(studyInstanceUid, [image]));
    const state = newUid();
    const uid = await perform(workstation(studyInstanceUid), completed([state]));
    expect(await standing(one)).toEqual({ order: 'CM', procedures: 'completed', steps: 'COMPLETED', offered: 0 });
    expect(await exceptionOf(uid)).toBeNull();
    expect(await procedureOf(studyInstanceUid)).toMatchObject({
      availability: 'partial',
      instances: { named: 2, available: 1 },
    });
    await notify(site.server.ports.dicom, notification(studyInstanceUid, [state]));
    expect(await procedureOf(studyInstanceUid)).toMatchObject({ availability: 'available' });
    const [procedure] = (await site.order({ placerOrderNumber: one.placerOrderNumber })).requestedProcedures;
    const events = procedure?.history.map(({ event }) => event) ?? [];
    expect(events.filter((event) => event.startsWith('evidence'))).toEqual(['evidenceStarted', 'evidenceEnded']);
    expect(await site.news()).toEqual([]);
  });

  it('that names a study of which nothing was begun is for a person to look at', async () => {
    const one = await ordered();
    const uid = await perform(workstation(one.step.studyInstanceUid));
    expect(await exceptionOf(uid)).toBe('no-open-step');
    expect(await standing(one)).toMatchObject({ order: 'SC', steps: 'SCHEDULED' });
  });
});

describe('dose, billing and material', () => {
  it('are kept as the modality sent them', async () => {
    const one = await ordered();
    const billing: DatasetInput = {
      BillingProcedureStepSequence: [{ CodeValue: 'B1', CodingSchemeDesignator: '99B', CodeMeaning: 'Billed' }],
      FilmConsumptionSequence: [{ NumberOfFilms: '2', MediumType: 'CLEAR FILM', FilmSizeID: '14INX17IN' }],
      BillingSuppliesAndDevicesSequence: [
        {
          BillingItemSequence: [{ CodeValue: 'M1', CodingSchemeDesignator: '99B', CodeMeaning: 'Contrast' }],
          QuantitySequence: [{ Quantity: '50', MeasuringUnitsSequence: [] }],
        },
      ],
      TotalNumberOfExposures: 4,
      ImageAndFluoroscopyAreaDoseProduct: '12.5',
    };
    const uid = await perform(inProgress(one.steps, billing), done());
    const { dataset } = await site.server.store.prisma.performedProcedureStep.findUniqueOrThrow({
      where: { sopInstanceUid: uid },
    });
    expect(dataset).toMatchObject({
      BillingProcedureStepSequence: [{ CodeValue: ['B1'] }],
      FilmConsumptionSequence: [{ NumberOfFilms: ['2'] }],
      BillingSuppliesAndDevicesSequence: [{ QuantitySequence: [{ Quantity: ['50'] }] }],
      TotalNumberOfExposures: [4],
      ImageAndFluoroscopyAreaDoseProduct: ['12.5'],
    });
  });
});

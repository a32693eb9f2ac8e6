import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findWorklist, worklistKeys } from '../../src/transactions/rad-05-worklist.ts';
import { adt, messageOf, msh, orm, pid } from '../support/messages.ts';
import { completed, discontinued, inProgress, newUid, notification, stepsOf } from '../support/mpps.ts';
import { NOW, type TestDepartment, startDepartment } from './support.ts';

let house: TestDepartment;
beforeAll(async () => {
  house = await startDepartment();
});
afterAll(() => house.stop());

const WRIST = 'WRIST^Wrist in two planes^TESTPLAN';
const TRUNK = 'TRUNK^Trunk PET and CT^TESTPLAN';
const SPINE = 'SPINE^Spine with contrast^TESTPLAN';

interface Procedure {
  readonly requestedProcedureId: string;
  readonly accessionNumber: string;
}
interface List<T> {
  readonly items: T[];
  readonly next: string | null;
}

/** Orders something for a patient; the procedures that it became. */
async function ordered(placerOrderNumber: string, service: string, patient: string, start?: string) {
  const order = { placerOrderNumber: `${placerOrderNumber}^HIS`, service, ...(start ? { orcStart: start } : {}) };
  await house.hl7(orm([order], { identifier: `${patient}^^^CLINIC` }));
  const { body } = await house.get(`/api/procedures?placerOrderNumber=${placerOrderNumber}`);
  return (body as List<Procedure>).items;
}

const idsOf = (body: unknown): string[] => (body as List<Procedure>).items.map((one) => one.requestedProcedureId);

/** A modality asks for its worklist; what was offered for the first time has been noted when this ends. */
async function offer(patientId: string): Promise<void> {
  const answer = findWorklist(house.department, worklistKeys({ patientId }, '2026-01-05'), {
    callingAeTitle: 'DX1',
    calledAeTitle: 'SWF_OF',
    raw: new Uint8Array(),
    transferSyntaxUid: '1.2.840.10008.1.2',
  });
  let rows = 0;
  for await (const _row of answer) rows++;
  answer.afterwards?.(rows);
  await house.department.background.settled();
}

describe('GET /api/procedures/{id}', () => {
  it('given a new order of a registered patient, when asked, then it is scheduled and steps 1 and 2 have happened', async () => {
    await house.hl7(adt('A04', { identifier: 'A1^^^CLINIC' }));
    const [ours] = await ordered('N1', WRIST, 'A1', '202601051400');
    const { status, body } = await house.get(`/api/procedures/${ours?.requestedProcedureId}`);
    expect(status).toBe(200);
    const { transactions, ...rest } = body as { transactions: { step: number; happened: boolean }[] };
    expect(rest).toEqual({
      requestedProcedureId: ours?.requestedProcedureId,
      accessionNumber: ours?.accessionNumber,
      placerOrderNumber: 'N1',
      fillerOrderNumber: expect.stringMatching(/^.{1,16}$/) as string,
      studyInstanceUid: expect.stringMatching(/^[0-9.]{3,64}$/) as string,
      patientId: 'A1',
      orderStatus: 'SC',
      state: 'scheduled',
      availability: 'unknown',
      report: 'none',
      instances: { named: 0, available: 0 },
      steps: [
        {
          scheduledProcedureStepId: expect.stringMatching(/^.{1,16}$/) as string,
          stepStatus: 'SCHEDULED',
          modality: 'DX',
          scheduledStationAeTitles: ['DX1'],
          start: '2026-01-05T14:00:00',
        },
      ],
      performedSteps: [],
    });
    expect(transactions.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(transactions.map(({ happened }) => happened)).toEqual([true, true, ...Array<boolean>(6).fill(false)]);
    expect(transactions[0]).toEqual({
      step: 1,
      transaction: 'RAD-1',
      happened: true,
      at: NOW,
      confirmedBy: [{ kind: 'ack', peer: 'HIS', messageId: expect.any(Number) as number, code: 'AA' }],
    });
    expect(transactions[2]).toEqual({ step: 3, transaction: 'RAD-4', happened: false, at: null, confirmedBy: [] });
  });

  it('given the whole simple case, when asked, then all eight have happened, each with what confirmed it (IHE RAD TF-1 3.3)', async () => {
    await house.hl7(adt('A04', { identifier: 'A2^^^CLINIC' }));
    const [ours] = await ordered('N2', WRIST, 'A2');
    const rad4 = await house.store.prisma.delivery.findMany({
      where: { destination: { in: ['IM', 'RM'] }, deliveryStatus: 'PENDING' },
    });
    for (const { destination } of rad4) await house.heard(destination, {});
    await offer('A2');
    const [step] = await stepsOf(house.store, 'N2');
    if (!step) throw new Error('there is no step');
    const [mpps, image] = [newUid(), newUid()];
    expect(await house.nCreate(mpps, inProgress([step]))).toBe(0);
    expect(await house.nSet(mpps, completed([image]))).toBe(0);
    expect(await house.notify(notification(step.studyInstanceUid, [image]))).toBe(0);
    const { body } = await house.get(`/api/procedures/${ours?.requestedProcedureId}`);
    expect(body).toMatchObject({
      orderStatus: 'CM',
      state: 'completed',
      availability: 'available',
      instances: { named: 1, available: 1 },
      steps: [{ stepStatus: 'COMPLETED' }],
      performedSteps: [{ sopInstanceUid: mpps, performedProcedureStepStatus: 'COMPLETED' }],
    });
    const { transactions } = body as {
      transactions: { transaction: string; happened: boolean; confirmedBy: { kind: string; peer: string }[] }[];
    };
    const told = transactions.map(({ transaction, happened, confirmedBy }) => [
      transaction,
      happened,
      confirmedBy.map(({ kind, peer }) => `${kind} ${peer}`).sort(),
    ]);
    expect(told).toEqual([
      ['RAD-1', true, ['ack HIS']],
      ['RAD-2', true, ['ack HIS']],
      ['RAD-4', true, ['ack IM', 'ack RM']],
      ['RAD-5', true, ['query DX1']],
      ['RAD-6', true, ['response DX1']],
      ['RAD-8', true, ['notification DX1']],
      ['RAD-7', true, ['response DX1']],
      ['RAD-49', true, ['notification DX1']],
    ]);
  });

  it('given an accession number that names one procedure, when asked by it, then it is that procedure', async () => {
    const [ours] = await ordered('N3', WRIST, 'A3');
    const { body } = await house.get(`/api/procedures/${ours?.accessionNumber}`);
    expect(body).toMatchObject({ requestedProcedureId: ours?.requestedProcedureId });
  });

  it('given an accession number that names two procedures, when asked by it, then it is 409 with their ids', async () => {
    const both = await ordered('N4', TRUNK, 'A4');
    const accessionNumber = both[0]?.accessionNumber;
    expect(both.map((one) => one.accessionNumber)).toEqual([accessionNumber, accessionNumber]);
    for (const tail of ['', '/history']) {
      expect(await house.get(`/api/procedures/${accessionNumber}${tail}`)).toMatchObject({
        status: 409,
        body: { type: 'ambiguous-key', procedures: both.map((one) => one.requestedProcedureId).reverse() },
      });
    }
  });

  it('given nobody has the id, when asked, then it is 404', async () => {
    for (const path of ['/api/procedures/NOBODY', '/api/procedures/NOBODY/history'])
      expect(await house.get(path)).toMatchObject({ status: 404, body: { type: 'unknown-key' } });
  });

  it('given an order that names its patient otherwise, when asked, then the fields are named and no value of them', async () => {
    await house.hl7(adt('A04', { identifier: 'A5^^^CLINIC', name: 'Olsen^Per', sex: 'M' }));
    const order = [{ placerOrderNumber: 'N5^HIS', service: WRIST }];
    await house.hl7(orm(order, { identifier: 'A5^^^CLINIC', name: 'Ohlson^Per', sex: 'F' }));
    const { body } = (await house.get('/api/procedures?placerOrderNumber=N5')) as { body: List<Procedure> };
    expect(body.items).toMatchObject([{ patientDifferences: ['name', 'sex'] }]);
    expect((await house.get('/api/orders/N5')).body).toMatchObject({ patientDifferences: ['name', 'sex'] });
    expect(JSON.stringify(body)).not.toContain('Ohlson');
  });
});

describe('GET /api/procedures', () => {
  beforeAll(async () => {
    await ordered('L1', WRIST, 'B1', '202603100900');
    await ordered('L2', SPINE, 'B1', '202603112345');
    await ordered('L3', TRUNK, 'B2', '20260312');
  });

  it('given three orders, when filtered, then exactly the procedures that match are there', async () => {
    const one = async (query: string): Promise<string[]> => {
      const { body } = await house.get(`/api/procedures?${query}`);
      return (body as List<{ placerOrderNumber: string }>).items.map((item) => item.placerOrderNumber);
    };
    expect(await one('placerOrderNumber=L1')).toEqual(['L1']);
    expect(await one('patientId=B1')).toEqual(['L2', 'L1']);
    expect(await one('patientId=B')).toEqual([]);
    expect(await one('patientId=B2&state=scheduled')).toEqual(['L3', 'L3']);
    expect(await one('patientId=B2&state=completed')).toEqual([]);
    expect(await one('date=2026-03-10')).toEqual(['L1']);
    expect(await one('date=20260311')).toEqual(['L2']);
    // The second step of L2 starts 30 minutes after 23:45.
    expect(await one('date=20260312')).toEqual(['L3', 'L3', 'L2']);
    expect(await one('date=20260310-20260311')).toEqual(['L2', 'L1']);
    expect(await one('date=20260312-')).toEqual(['L3', 'L3', 'L2']);
    expect(await one('date=-20260310&patientId=B1')).toEqual(['L1']);
    expect(await one('date=today&placerOrderNumber=L1')).toEqual([]);
  });

  it('given an accession number, when filtered by it, then both procedures of the order are there', async () => {
    const [first] = idsOf((await house.get('/api/procedures?placerOrderNumber=L3')).body);
    const { body } = await house.get(`/api/procedures/${first}`);
    const { accessionNumber } = body as Procedure;
    const listed = (await house.get(`/api/procedures?accessionNumber=${accessionNumber}`)).body as List<Procedure>;
    expect(listed.items).toHaveLength(2);
    expect(listed.items.map((item) => item.accessionNumber)).toEqual([accessionNumber, accessionNumber]);
    // An item of the list is what the procedure itself answers.
    expect(listed.items.find((item) => item.requestedProcedureId === first)).toEqual(body);
  });

  it('given more than a page, when each next is followed, then every procedure comes once, the newest first', async () => {
    const all = idsOf((await house.get('/api/procedures')).body);
    expect(all.length).toBeGreaterThan(5);
    const seen: string[] = [];
    let next: string | null = null;
    do {
      const got = await house.get(`/api/procedures?limit=2&after=${next ?? ''}`);
      const body = got.body as List<Procedure>;
      expect(body.items.length).toBeLessThanOrEqual(2);
      seen.push(...body.items.map((item) => item.requestedProcedureId));
      next = body.next;
    } while (next !== null && seen.length <= all.length);
    expect(seen).toEqual(all);
  });

  it('given exactly one page, when asked, then there is no next', async () => {
    expect((await house.get('/api/procedures?placerOrderNumber=L3&limit=2')).body).toMatchObject({ next: null });
    expect((await house.get('/api/procedures?placerOrderNumber=L3&limit=1')).body).not.toMatchObject({ next: null });
  });
});

describe('GET /api/procedures/{id}/history', () => {
  it('given an order that was started, when asked, then each transition has its event, states, cause and time, oldest first', async () => {
    const [ours] = await ordered('H1', WRIST, 'C1');
    const steps = await stepsOf(house.store, 'H1');
    house.clock.advance(60_000);
    await house.nCreate(newUid(), inProgress(steps));
    const path = `/api/procedures/${ours?.requestedProcedureId}/history`;
    const { body } = (await house.get(path)) as { body: List<{ at: string; cause: { messageId: number } }> };
    expect(body.items).toMatchObject([
      { event: 'ordered', from: '', to: 'planned', cause: { transaction: 'RAD-2', by: 'HIS' }, remark: null },
      {
        event: 'schedule',
        from: expect.stringMatching(/^planned/) as string,
        to: expect.stringMatching(/^scheduled/) as string,
      },
      {
        event: 'performedStepStarted',
        from: 'scheduled',
        to: 'inProgress',
        cause: { transaction: 'RAD-6', by: 'DX1' },
      },
    ]);
    const [first, , last] = body.items;
    expect(Date.parse(last?.at ?? '') - Date.parse(first?.at ?? '')).toBe(60_000);
    expect((await house.get(`/api/messages/${last?.cause.messageId}`)).body).toMatchObject({ messageType: 'N-CREATE' });
    const page = (await house.get(`${path}?limit=2`)).body as List<unknown>;
    expect(page.items).toEqual(body.items.slice(0, 2));
    expect((await house.get(`${path}?limit=2&after=${page.next}`)).body).toEqual({
      items: body.items.slice(2),
      next: null,
    });
  });
});

describe('GET /api/orders', () => {
  it('given an order, when asked by ORC-2, then its numbers, status and procedures are there', async () => {
    await ordered('Q1', TRUNK, 'D1');
    const { status, body } = await house.get('/api/orders/Q1');
    expect(status).toBe(200);
    expect(body).toMatchObject({
      placerOrderNumber: 'Q1',
      placerOrderIssuer: 'HIS',
      patientId: 'D1',
      orderStatus: 'SC',
      reportedOrderStatus: null,
      patientDifferences: [],
      procedures: [{ state: 'scheduled' }, { state: 'scheduled' }],
    });
  });

  it('given a started order, when asked, then orderStatus is ORC-5 and so is what RAD-3 reported', async () => {
    await ordered('Q2', WRIST, 'D2');
    await house.nCreate(newUid(), inProgress(await stepsOf(house.store, 'Q2')));
    expect((await house.get('/api/orders/Q2')).body).toMatchObject({ orderStatus: 'IP', reportedOrderStatus: 'IP' });
    const started = (await house.get('/api/orders?orderStatus=IP&patientId=D2')).body as List<unknown>;
    expect(started).toMatchObject({ items: [{ placerOrderNumber: 'Q2' }], next: null });
    expect((await house.get('/api/orders?orderStatus=CM&patientId=D2')).body).toEqual({ items: [], next: null });
  });

  it('given one number of two issuers, when asked, then it is 409 with both until one is named (ORC-2.2)', async () => {
    for (const issuer of ['NORTH', 'SOUTH'])
      await house.hl7(orm([{ placerOrderNumber: `Q3^${issuer}`, service: WRIST }], { identifier: 'D3^^^CLINIC' }));
    expect(await house.get('/api/orders/Q3')).toMatchObject({
      status: 409,
      body: { type: 'ambiguous-key', issuers: ['NORTH', 'SOUTH'] },
    });
    expect((await house.get('/api/orders/Q3?issuer=SOUTH')).body).toMatchObject({ placerOrderIssuer: 'SOUTH' });
    expect((await house.get('/api/orders?placerOrderNumber=Q3&issuer=NORTH')).body).toMatchObject({
      items: [{ placerOrderIssuer: 'NORTH' }],
    });
  });

  it('given a number with a slash, when asked percent-encoded, then it is found; an unknown one is 404', async () => {
    await ordered('Q/4', WRIST, 'D4');
    expect((await house.get('/api/orders/Q%2F4')).body).toMatchObject({ placerOrderNumber: 'Q/4' });
    expect(await house.get('/api/orders/Q5')).toMatchObject({ status: 404, body: { type: 'unknown-key' } });
  });

  it('given more than a page, when each next is followed, then every order comes once', async () => {
    const all = ((await house.get('/api/orders?patientId=B1')).body as List<{ accessionNumber: string }>).items;
    const first = (await house.get('/api/orders?patientId=B1&limit=1')).body as List<unknown>;
    const second = (await house.get(`/api/orders?patientId=B1&limit=1&after=${first.next}`)).body as List<unknown>;
    expect([...first.items, ...second.items]).toEqual(all);
    expect(second.next).toBeNull();
  });
});

describe('GET /api/worklist', () => {
  it('given scheduled steps, when asked, then it is what C-FIND would answer, as DICOM JSON (PS3.18 Annex F)', async () => {
    await ordered('W1', WRIST, 'E1', '202604010930');
    const [step] = await stepsOf(house.store, 'W1');
    const wanted = ['patientId=E1', 'date=2026-04-01', 'date=20260401', 'date=20260331-20260402'];
    wanted.push(`accessionNumber=${step?.accessionNumber}`, 'scheduledStationAeTitle=DX1&date=20260401&modality=DX');
    for (const query of wanted) {
      const { body } = (await house.get(`/api/worklist?${query}`)) as { body: List<Record<string, unknown>> };
      expect(body, query).toMatchObject({ next: null, truncated: false });
      expect(body.items, query).toHaveLength(1);
      expect(body.items[0]).toMatchObject({
        '00080050': { vr: 'SH', Value: [step?.accessionNumber] },
        '00100020': { vr: 'LO', Value: ['E1'] },
        '00400100': { vr: 'SQ', Value: [{ '00400002': { vr: 'DA', Value: ['20260401'] } }] },
      });
    }
    expect((await house.get('/api/worklist?patientId=E1&modality=MR')).body).toMatchObject({ items: [] });
  });

  it('given the query of a person, when answered, then it counts as no offer to a modality', async () => {
    const [ours] = idsOf((await house.get('/api/procedures?patientId=E1')).body);
    const { body } = await house.get(`/api/procedures/${ours}`);
    const { transactions } = body as { transactions: { transaction: string; happened: boolean }[] };
    expect(transactions.find(({ transaction }) => transaction === 'RAD-5')?.happened).toBe(false);
  });
});

describe('GET /api/unscheduled', () => {
  it('given performed steps that fit nothing or were given up, when asked, then each is there with why', async () => {
    await ordered('U1', WRIST, 'F1');
    const [step] = await stepsOf(house.store, 'U1');
    if (!step) throw new Error('there is no step');
    const [stray, given, fine] = [newUid(), newUid(), newUid()];
    const nowhere = { ...step, studyInstanceUid: newUid(), accessionNumber: '', patientId: 'F9' };
    expect(await house.nCreate(stray, inProgress([nowhere]))).toBe(0);
    expect(await house.nCreate(given, inProgress([step]))).toBe(0);
    expect(await house.nSet(given, discontinued())).toBe(0);
    await ordered('U2', WRIST, 'F2');
    expect(await house.nCreate(fine, inProgress(await stepsOf(house.store, 'U2')))).toBe(0);
    const { body } = (await house.get('/api/unscheduled')) as { body: List<{ sopInstanceUid: string }> };
    expect(body.items).toMatchObject([
      {
        sopInstanceUid: given,
        exception: 'discontinued',
        performedProcedureStepStatus: 'DISCONTINUED',
        scheduledProcedureStepIds: [step.scheduledProcedureStepId],
        discontinuation: { code: '110501', scheme: 'DCM', proposal: 'reschedule' },
      },
      {
        sopInstanceUid: stray,
        exception: 'unscheduled, unknown-patient',
        performedProcedureStepStatus: 'IN PROGRESS',
        patientId: 'F9',
        studyInstanceUids: [nowhere.studyInstanceUid],
        scheduledProcedureStepIds: [expect.stringMatching(/^S\d+$/)],
        requestedProcedureIds: [expect.stringMatching(/^RP\d+$/)],
        discontinuation: null,
        callingAeTitle: 'DX1',
      },
    ]);
    const first = (await house.get('/api/unscheduled?limit=1')).body as List<unknown>;
    expect(first.items).toEqual(body.items.slice(0, 1));
    expect((await house.get(`/api/unscheduled?limit=1&after=${first.next}`)).body).toMatchObject({
      items: [{ sopInstanceUid: stray }],
      next: null,
    });
  });
});

describe('the journal', () => {
  interface Entry {
    readonly id: number;
    readonly controlId: string;
    readonly direction: string;
  }
  const list = async (query: string): Promise<Entry[]> =>
    ((await house.get(`/api/messages?${query}`)).body as List<Entry>).items;

  it('given messages of both directions and protocols, when filtered, then exactly those that match are there', async () => {
    await house.hl7(adt('A04', { identifier: 'J1^^^CLINIC' }, { application: 'ADT_J', controlId: 'J-ADT' }));
    expect(await house.answerTo(orm([], {}, { application: 'OP_J', controlId: 'J-BAD' }))).toContain('MSA|AE|');
    expect((await list('peer=ADT_J')).map((one) => one.controlId)).toEqual(['J-ADT']);
    expect((await list('controlId=J-BAD')).length).toBe(1);
    expect((await list('controlId=J-BAD&outcome=refused')).length).toBe(1);
    expect((await list('controlId=J-BAD&outcome=accepted')).length).toBe(0);
    expect((await list('controlId=J-BAD&protocol=dicom')).length).toBe(0);
    expect((await list('controlId=J-ADT&direction=IN&protocol=HL7&transaction=RAD-1')).length).toBe(1);
    expect((await list('controlId=J-ADT&direction=out')).length).toBe(0);
    const toImageManager = await list('peer=IM');
    expect(toImageManager.length).toBeGreaterThan(0);
    expect(toImageManager.every((one) => one.direction === 'out')).toBe(true);
    const dicom = await list('protocol=DICOM&transaction=RAD-7&outcome=accepted');
    expect(dicom.length).toBeGreaterThan(0);
  });

  it('given more than a page, when each next is followed, then every message comes once, the newest first', async () => {
    const all = (await list('')).map((one) => one.id);
    expect(all).toEqual([...all].sort((a, b) => b - a));
    const first = (await house.get('/api/messages?limit=3')).body as List<Entry>;
    const second = (await house.get(`/api/messages?limit=3&after=${first.next}`)).body as List<Entry>;
    expect([...first.items, ...second.items].map((one) => one.id)).toEqual(all.slice(0, 6));
  });

  it('given a refused message, when asked, then message, answer and reason are there; the answer is the one that was sent', async () => {
    const sent = orm([], {}, { application: 'OP_J', controlId: 'J-BAD2' });
    const answer = await house.answerTo(sent);
    const [entry] = await list('controlId=J-BAD2');
    const { body } = await house.get(`/api/messages/${entry?.id}`);
    expect(body).toMatchObject({ encoding: 'text', raw: sent, answer, outcome: 'refused', answerCode: 'AE' });
    expect((body as { remarks: string[] }).remarks).toHaveLength(1);
  });

  it('given an HL7 message, when asked as text/plain, then it is the bytes as they stood on the wire, or its answer', async () => {
    const line = `${msh('ADT^A04', { controlId: 'J-LATIN' })}||||||8859/1`;
    const sent = Buffer.from(
      messageOf(line, 'EVN|A04', pid({ identifier: 'J3^^^CLINIC', name: 'Åkesson^Åsa' })),
      'latin1',
    );
    expect(await house.answerTo(sent)).toContain('MSA|AA|J-LATIN');
    const [entry] = await list('controlId=J-LATIN');
    expect((await house.get(`/api/messages/${entry?.id}`)).body).toMatchObject({ raw: sent.toString('latin1') });
    const text = { Accept: 'text/plain' };
    const plain = await house.get(`/api/messages/${entry?.id}`, text);
    expect(plain.headers.get('content-type')).toBe('text/plain; charset=iso-8859-1');
    expect(plain.bytes).toEqual(sent);
    const answer = await house.get(`/api/messages/${entry?.id}?part=answer`, text);
    expect(answer.text).toContain('MSA|AA|J-LATIN');
    expect((await house.get(`/api/messages/${entry?.id}`, { Accept: '*/*' })).body).toMatchObject({ encoding: 'text' });
  });

  it('given a DICOM request, when asked, then its data set is base64; as text/plain it is 406', async () => {
    const [entry] = await list('protocol=DICOM&transaction=RAD-6&outcome=accepted');
    const { body } = await house.get(`/api/messages/${entry?.id}`);
    expect(body).toMatchObject({
      encoding: 'base64',
      messageType: 'N-CREATE',
      transferSyntaxUid: '1.2.840.10008.1.2.1',
    });
    expect(Buffer.from((body as { raw: string }).raw, 'base64').toString('latin1')).toContain('IN PROGRESS');
    expect((body as { requestedProcedureIds: string[] }).requestedProcedureIds).toHaveLength(1);
    expect(await house.get(`/api/messages/${entry?.id}`, { Accept: 'text/plain' })).toMatchObject({
      status: 406,
      body: { type: 'not-acceptable' },
    });
  });

  it('given no such entry, or no answer yet, when asked, then it is 404', async () => {
    expect(await house.get('/api/messages/2000000000')).toMatchObject({ status: 404, body: { type: 'unknown-key' } });
    const [waiting] = await list('outcome=waiting');
    const asked = await house.get(`/api/messages/${waiting?.id}?part=answer`, { Accept: 'text/plain' });
    expect(asked.status).toBe(404);
    expect((await house.get(`/api/messages/${waiting?.id}`)).body).toMatchObject({
      answer: null,
      delivery: { deliveryStatus: 'PENDING', attempts: 0 },
    });
  });
});

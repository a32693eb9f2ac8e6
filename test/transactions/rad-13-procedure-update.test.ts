import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { field, omg, orm, serial } from '../support/messages.ts';
import { type OrderSite, givenUp, startOrderSite } from '../support/order-site.ts';

/** Its sender may change orders (XO); its image manager has v2.3.1, its report manager v2.5.1. */
let site: OrderSite;
beforeAll(async () => {
  site = await startOrderSite({ senders: [{ match: { application: 'HIS' }, orderControls: ['XO'] }] });
});
afterAll(() => site.stop());
beforeEach(async () => void (await site.news()));

interface Ordered {
  readonly number: string;
  readonly patient: { readonly identifier: string };
  /** RAD-4 to the image manager (ORM^O01) and to the report manager (OMI^O23). */
  readonly announced: { readonly IM: string[]; readonly RM: string[] };
}

const lines = (text: string, ...names: string[]): string[] =>
  text.split('\r').filter((line) => names.includes(line.split('|')[0] ?? ''));

/** What was put into the lanes of both managers, as it goes out. */
async function toManagers(): Promise<{ news: string[]; IM: string[]; RM: string[] }> {
  const news = await site.news();
  const of = (peer: string): string[] => site.texts.filter((_, index) => news[index]?.startsWith(`${peer} `));
  return { news: news.filter((one) => !one.startsWith('OP')), IM: of('IM'), RM: of('RM') };
}

async function ordered(service = 'SPINE^Spine with contrast^TESTPLAN'): Promise<Ordered> {
  const number = `U${serial()}`;
  const patient = { identifier: `P${number}^^^CLINIC` };
  const order = { placerOrderNumber: `${number}^HIS`, service, orcStart: '20260301090000', reason: 'COUGH^Cough^L' };
  expect(await site.send(orm([order], patient))).toMatchObject({ code: 'AA' });
  const { IM, RM } = await toManagers();
  return { number, patient, announced: { IM, RM } };
}

const idOf = async (number: string): Promise<string> =>
  (await site.order({ placerOrderNumber: number })).requestedProcedures[0]?.requestedProcedureId ?? '';

const act = async (number: string, verb: string, body: object = {}): Promise<void> => {
  const { status } = await site.post(`/api/procedures/${await idOf(number)}/${verb}`, body);
  expect(status).toBe(200);
};

/** An ORC without its order control and status: the rest of it and of OBR, IPC and ZDS does not change. */
function unchanging(text: string): string[] {
  return lines(text, 'ORC', 'TQ1', 'OBR', 'IPC', 'ZDS').map((line) =>
    line.replace(/^(ORC\|)[^|]*((?:\|[^|]*){3}\|)[^|]*/, '$1$2'),
  );
}

/** Every ORC of a message says the pair. */
function pairs(text: string): string[] {
  return [...new Set(lines(text, 'ORC').map((line) => `${line.split('|')[1]}/${line.split('|')[5]}`))];
}

function expectSnapshot({ announced }: Ordered, told: { IM: string[]; RM: string[] }, pair: string): void {
  const { IM, RM } = announced;
  expect([told.IM.length, told.RM.length]).toEqual([IM.length, RM.length]);
  told.IM.forEach((text, index) => expect(unchanging(text)).toEqual(unchanging(IM[index] ?? '')));
  told.RM.forEach((text, index) => expect(unchanging(text)).toEqual(unchanging(RM[index] ?? '')));
  for (const text of [...told.IM, ...told.RM]) expect(pairs(text)).toEqual([pair]);
  for (const text of told.IM) expect(field(text, 'MSH', 9)).toContain('ORM^O01');
  for (const text of told.RM) expect(field(text, 'MSH', 9)).toBe('OMI^O23^OMI_O23');
}

describe('RAD-13 Procedure Update CA/CA: cancelled before its start (RAD TF-2 4.13)', () => {
  const causes: [string, (one: Ordered) => Promise<void>][] = [
    [
      'the placer cancels (RAD-2 CA)',
      async ({ number, patient }) => {
        await site.send(orm([{ control: 'CA', placerOrderNumber: `${number}^HIS` }], patient));
      },
    ],
    [
      'the placer discontinues (RAD-2 DC, v2.5.1)',
      async ({ number, patient }) => {
        await site.send(omg([{ control: 'DC', placerOrderNumber: `${number}^HIS` }], patient));
      },
    ],
    ['staff cancel', ({ number }) => act(number, 'cancel')],
    [
      'staff cancel what is on hold',
      async ({ number }) => {
        await act(number, 'hold');
        await act(number, 'cancel');
      },
    ],
  ];
  it.each(causes)(
    'given %s, then the whole procedure goes out again with its numbers, and its worklist items are gone at once',
    async (_what, cause) => {
      const one = await ordered();
      expect(await site.offered(one.number)).toHaveLength(2);
      await cause(one);
      expect(await site.offered(one.number)).toEqual([]);
      const told = await toManagers();
      expect(told.news).toEqual(['IM RAD-13 CA/CA', 'RM RAD-13 CA/CA']);
      expectSnapshot(one, told, 'CA/CA');
    },
  );

  it('given an order of two procedures, when one is cancelled, then only its study is, and the other stays on the worklist', async () => {
    const one = await ordered('TRUNK^^TESTPLAN');
    await act(one.number, 'cancel');
    const told = await toManagers();
    expect(told.news).toEqual(['IM RAD-13 CA/CA', 'RM RAD-13 CA/CA']);
    expect(lines(told.IM[0] ?? '', 'ZDS')).toEqual(lines(one.announced.IM[0] ?? '', 'ZDS'));
    expect(await site.offered(one.number)).toHaveLength(1);
  });
});

describe('RAD-13 DC/CA: discontinued after its start', () => {
  const causes: [string, (one: Ordered) => Promise<void>][] = [
    [
      'the modality gives up every step because the patient has died (110504)',
      async ({ number }) => site.end(await site.begin(number), givenUp('110504')),
    ],
    [
      'the placer discontinues (RAD-2 DC)',
      async ({ number, patient }) => {
        await site.begin(number);
        await site.send(orm([{ control: 'DC', placerOrderNumber: `${number}^HIS` }], patient));
      },
    ],
  ];
  it.each(causes)('given %s, then once, with the same numbers, and no worklist item', async (_what, cause) => {
    const one = await ordered();
    await cause(one);
    const told = await toManagers();
    expect(told.news).toEqual(['IM RAD-13 DC/CA', 'RM RAD-13 DC/CA']);
    expectSnapshot(one, told, 'DC/CA');
    expect(await site.offered(one.number)).toEqual([]);
  });

  it.each(['110501', '110513', '110514'])(
    'given reason %s, which a person has to judge or which was a wrong entry, then no RAD-13, and the step stays on the worklist',
    async (code) => {
      const one = await ordered('WRIST^^TESTPLAN');
      await site.end(await site.begin(one.number), givenUp(code));
      expect((await toManagers()).news).toEqual([]);
      expect(await site.offered(one.number)).toHaveLength(1);
    },
  );

  it('given one of two steps completed, when the other is given up for good, then the procedure is complete: no RAD-13', async () => {
    const one = await ordered();
    const [first = '', second = ''] = await site.begin(one.number);
    await site.end([first]);
    await site.end([second], givenUp('110504'));
    expect((await toManagers()).news).toEqual([]);
    expect((await site.order({ placerOrderNumber: one.number })).orderStatus).toBe('CM');
  });
});

describe('RAD-13 XO/SC: changed while scheduled or in progress', () => {
  it('given staff move it in time, then the new time goes out with the same numbers, and only the new day offers it', async () => {
    const one = await ordered('WRIST^^TESTPLAN');
    await act(one.number, 'reschedule', { start: '2026-03-05T14:15' });
    const told = await toManagers();
    expect(told.news).toEqual(['IM RAD-13 XO/SC', 'RM RAD-13 XO/SC']);
    const [IM = '', RM = ''] = [told.IM[0], told.RM[0]];
    expect(field(IM, 'ORC', 7).split('^')[3]).toBe('20260305141500');
    expect(field(IM, 'OBR', 27).split('^')[3]).toBe('20260305141500');
    expect(field(RM, 'TQ1', 7)).toBe('20260305141500');
    const [before = '', beforeRm = ''] = [one.announced.IM[0], one.announced.RM[0]];
    for (const number of [2, 3, 18, 19, 20, 44]) expect(field(IM, 'OBR', number)).toBe(field(before, 'OBR', number));
    expect(field(IM, 'ZDS', 1)).toBe(field(before, 'ZDS', 1));
    for (const number of [1, 2, 3, 4]) expect(field(RM, 'IPC', number)).toBe(field(beforeRm, 'IPC', number));
    expect(await site.offered(one.number, { ScheduledProcedureStepStartDate: '20260301' })).toEqual([]);
    expect(await site.offered(one.number, { ScheduledProcedureStepStartDate: '20260305' })).toHaveLength(1);
  });

  it('given staff move it to another station, then IPC-9 names it and the worklist offers it there', async () => {
    const one = await ordered('WRIST^^TESTPLAN');
    await act(one.number, 'reschedule', { station: 'DX2' });
    const told = await toManagers();
    expect(pairs(told.IM[0] ?? '')).toEqual(['XO/SC']);
    expect(field(told.RM[0] ?? '', 'IPC', 9)).toBe('DX2');
    expect(await site.offered(one.number, { ScheduledStationAETitle: 'DX1' })).toEqual([]);
    expect(await site.offered(one.number, { ScheduledStationAETitle: 'DX2' })).toHaveLength(1);
  });

  it('given the placer changes it while it is in progress (XO), then XO/SC although the order is IP', async () => {
    const one = await ordered('WRIST^^TESTPLAN');
    await site.begin(one.number);
    await site.news();
    const change = { control: 'XO', placerOrderNumber: `${one.number}^HIS`, reason: 'FALL^Fall^L' };
    expect(await site.send(orm([change], one.patient))).toMatchObject({ code: 'AA' });
    const told = await toManagers();
    expect(told.news).toEqual(['IM RAD-13 XO/SC', 'RM RAD-13 XO/SC']);
    for (const text of [...told.IM, ...told.RM]) expect(field(text, 'OBR', 31)).toBe('FALL^Fall^L');
    expect(await site.offered(one.number)).toHaveLength(1);
  });

  it('given one of two steps has begun, when the other is moved, then XO/SC and the first stays; the first cannot be moved', async () => {
    const one = await ordered();
    const id = await idOf(one.number);
    const starts = async (): Promise<(string | undefined)[]> =>
      (await site.order({ placerOrderNumber: one.number })).requestedProcedures[0]?.steps.map((step) =>
        step.startDate.toISOString().slice(0, 10),
      ) ?? [];
    const steps = (await site.order({ placerOrderNumber: one.number })).requestedProcedures[0]?.steps ?? [];
    const [first, second] = steps.map((step) => step.scheduledProcedureStepId);
    await site.begin(one.number, 1);
    await site.news();
    const move = (step: string | undefined) =>
      site.post(`/api/procedures/${id}/reschedule`, { step, start: '2026-03-09T08:00' });
    expect((await move(first)).status).toBe(409);
    expect((await toManagers()).news).toEqual([]);
    expect((await move(second)).status).toBe(200);
    expect((await toManagers()).news).toEqual(['IM RAD-13 XO/SC', 'RM RAD-13 XO/SC']);
    expect(await starts()).toEqual(['2026-03-01', '2026-03-09']);
  });
});

describe('RAD-13 XO/CM: changed after completion', () => {
  it('given the placer changes a completed order (XO), then XO/CM with the change, under the same study', async () => {
    const one = await ordered('WRIST^^TESTPLAN');
    await site.end(await site.begin(one.number));
    await site.news();
    const change = { control: 'XO', placerOrderNumber: `${one.number}^HIS`, reason: 'FALL^Fall^L' };
    expect(await site.send(orm([change], one.patient))).toMatchObject({ code: 'AA' });
    const told = await toManagers();
    expect(told.news).toEqual(['IM RAD-13 XO/CM', 'RM RAD-13 XO/CM']);
    expect(field(told.IM[0] ?? '', 'OBR', 31)).toBe('FALL^Fall^L');
    expect(field(told.IM[0] ?? '', 'ZDS', 1)).toBe(field(one.announced.IM[0] ?? '', 'ZDS', 1));
    expect(await site.offered(one.number)).toEqual([]);
  });
});

describe('RAD-13 and who hears of it', () => {
  it('given the managers were never told of the procedure (RAD-4), when it is cancelled, then they are told nothing', async () => {
    const waiting = await startOrderSite({ policy: { autoSchedule: false } });
    try {
      const number = `U${serial()}`;
      await waiting.send(orm([{ placerOrderNumber: `${number}^HIS` }]));
      const [procedure] = (await waiting.order({ placerOrderNumber: number })).requestedProcedures;
      await waiting.post(`/api/procedures/${procedure?.requestedProcedureId}/cancel`);
      expect(await waiting.news()).toEqual(['OP RAD-3 OC/']);
    } finally {
      await waiting.stop();
    }
  });

  it('given everything above, then every RAD-13 follows the RAD-4 of its study in the lane of its peer', async () => {
    const rows = await site.server.store.prisma.delivery.findMany({
      where: { destination: 'IM' },
      orderBy: { id: 'asc' },
      include: { message: true },
    });
    const announced = new Set<number | null>();
    for (const { procedureId, message } of rows) {
      if (message.transaction === 'RAD-4') {
        expect(announced.has(procedureId)).toBe(false);
        announced.add(procedureId);
      } else expect(announced.has(procedureId)).toBe(true);
    }
    expect(announced.size).toBeGreaterThan(10);
  });
});

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type OrderFields, field, messageOf, msh, omg, orm, pid, pv1, segment, serial } from '../support/messages.ts';
import { type OrderSite, givenUp, lanesEmpty, startOrderSite } from '../support/order-site.ts';
import { adtEvent, merge } from '../support/patients.ts';
import { accepts, numbers } from '../support/peers.ts';
import { until } from '../support/until.ts';

/**
 * Whole stories of HL7 in and HL7 out (RAD TF-1 3.3, 3.4): the image manager speaks v2.3.1 and the report manager v2.5.1;
 * one placer speaks v2.3.1 and wants all that is optional, the other v2.5.1 and wants what is usual.
 */
let old: OrderSite;
let swfB: OrderSite;
beforeAll(async () => {
  const senders = [{ match: { application: 'HIS' }, orderControls: ['XO', 'HD', 'RL', 'RP', 'SS'] }];
  const sends = { orderStatuses: ['SC', 'A', 'HD'], orderControls: ['XX', 'UC'] };
  [old, swfB] = [
    await startOrderSite({ senders, placer: { sends } }),
    await startOrderSite({ senders, placer: { version: '2.5.1' } }),
  ];
});
afterAll(async () => {
  await old.stop();
  await swfB.stop();
});
beforeEach(async () => {
  for (const site of [old, swfB]) {
    site.op.will(accepts);
    await site.news();
  }
});

interface Ordered {
  readonly number: string;
  readonly identifier: string;
  readonly say: (control: string, change?: OrderFields) => ReturnType<OrderSite['send']>;
  readonly act: (verb: string, body?: object) => Promise<number>;
}

async function ordered(site: OrderSite, more: OrderFields = {}): Promise<Ordered> {
  const number = `U${serial()}`;
  const [identifier, placerOrderNumber] = [`P${number}^^^CLINIC`, `${number}^HIS`];
  const build = site === swfB ? omg : orm;
  const start = site === swfB ? { tq1Start: '20260301090000' } : { orcStart: '20260301090000' };
  expect(await site.send(build([{ placerOrderNumber, ...start, ...more }], { identifier }))).toMatchObject({
    code: 'AA',
  });
  await site.news();
  return {
    number,
    identifier,
    say: (control, change = {}) => site.send(build([{ placerOrderNumber, control, ...change }], { identifier })),
    act: async (verb, body = {}) => {
      const [procedure] = (await site.order({ placerOrderNumber: number })).requestedProcedures;
      return (await site.post(`/api/procedures/${procedure?.requestedProcedureId}/${verb}`, body)).status;
    },
  };
}

/** Segment names of a message, each once. */
const shape = (text: string): string =>
  [
    ...new Set(
      text
        .split('\r')
        .filter(Boolean)
        .map((one) => one.slice(0, 3)),
    ),
  ].join(' ');

const textTo = (site: OrderSite, news: readonly string[], what: string): string => site.texts[news.indexOf(what)] ?? '';

describe('SWF.b from registration to completion (RAD TF-2 4.1 to 4.7; ITI TF-2 3.30, 3.31)', () => {
  it('given A28 and A01 of v2.5 and OMG of v2.5.1, then OMI, and OMG with SC/IP and SC/CM, in their structures', async () => {
    const number = `U${serial()}`;
    const patient = { identifier: `P${number}^^^CLINIC^PI` };
    const stay = { 1: '1', 2: 'I', 3: 'WARD7^12^A', 19: `V${number}^^^CLINIC^VN` };
    const [person, admission] = [
      adtEvent('A28', patient, { version: '2.5' }),
      adtEvent('A01', { ...patient, pv1: stay }, { version: '2.5' }),
    ];
    for (const message of [person, admission]) {
      const { code, raw } = await swfB.send(message);
      expect([code, field(raw, 'MSH', 9), field(raw, 'MSH', 12)]).toEqual([
        'AA',
        `ACK^${message === person ? 'A28' : 'A01'}^ACK`,
        '2.5',
      ]);
    }
    const order = { placerOrderNumber: `${number}^HIS`, tq1Start: '20260301090000' };
    const { raw } = await swfB.send(omg([order], patient).replace('|V1^^^CLINIC', `|${stay[19]}`));
    expect(field(raw, 'MSH', 9)).toBe('ACK^O19^ACK');
    const announced = await swfB.news();
    expect(announced).toEqual(['IM RAD-4 NW/SC', 'OP RAD-48 S12', 'RM RAD-4 NW/SC']);
    const omi = textTo(swfB, announced, 'RM RAD-4 NW/SC');
    expect([field(omi, 'MSH', 9), shape(omi)]).toEqual(['OMI^O23^OMI_O23', 'MSH PID PV1 ORC TQ1 OBR IPC']);
    expect([field(omi, 'PV1', 3), field(omi, 'PV1', 19)]).toEqual([
      'WARD7^12^A',
      expect.stringContaining(`V${number}`),
    ]);
    const uids = await swfB.begin(number);
    const begun = await swfB.news();
    expect(begun).toEqual(['OP RAD-3 SC/IP']);
    await swfB.end(uids);
    const texts = [...swfB.texts];
    expect(await swfB.news()).toEqual(['OP RAD-3 SC/CM']);
    for (const text of [...texts, ...swfB.texts]) {
      expect([field(text, 'MSH', 9), shape(text)]).toEqual(['OMG^O19^OMG_O19', 'MSH PID PV1 ORC TQ1 OBR']);
      expect(field(text, 'ORC', 2)).toBe(`${number}^HIS`);
    }
  });

  it('given the examination will not take place, then OMG SC/DC and OMI DC/CA', async () => {
    const { number } = await ordered(swfB);
    const uids = await swfB.begin(number);
    await swfB.news();
    await swfB.end(uids, givenUp('110508'));
    const news = await swfB.news();
    expect(news).toEqual(['IM RAD-13 DC/CA', 'OP RAD-3 SC/DC', 'RM RAD-13 DC/CA']);
    expect(field(textTo(swfB, news, 'OP RAD-3 SC/DC'), 'MSH', 9)).toBe('OMG^O19^OMG_O19');
    expect(field(textTo(swfB, news, 'RM RAD-13 DC/CA'), 'MSH', 9)).toBe('OMI^O23^OMI_O23');
  });

  it('given the patient is merged during the acquisition, then its MPPS under the old number completes the order of the survivor', async () => {
    const one = await ordered(swfB);
    const survivor = `S${one.number}^^^CLINIC`;
    const uids = await swfB.begin(one.number);
    await swfB.news();
    expect(await swfB.send(merge(survivor, one.identifier, 'Real^Rita', { version: '2.5.1' }))).toMatchObject({
      code: 'AA',
    });
    expect(await swfB.news()).toEqual(['IM RAD-12 A40', 'RM RAD-12 A40']);
    await swfB.end(uids);
    const news = await swfB.news();
    expect(news).toEqual(['OP RAD-3 SC/CM']);
    expect(field(textTo(swfB, news, 'OP RAD-3 SC/CM'), 'PID', 3)).toContain(`S${one.number}`);
    expect(await swfB.order({ placerOrderNumber: one.number })).toMatchObject({ orderStatus: 'CM' });
  });
});

describe('one message in, every peer in its own version (RAD TF-2 2.4)', () => {
  it.each([
    ['ORM^O01 of v2.3.1', orm, 'orcStart'],
    ['OMG^O19 of v2.5.1', omg, 'tq1Start'],
  ] as const)(
    'given %s, then what was ordered is the same in ORM with ZDS and in OMI with IPC',
    async (_type, build, start) => {
      const number = `U${serial()}`;
      const more = { service: 'WRIST^Wrist in two planes^TESTPLAN', reason: 'FALL^Fall^L', [start]: '20260301090000' };
      await old.send(build([{ placerOrderNumber: `${number}^HIS`, ...more }]));
      const news = await old.news();
      const [im, rm] = [textTo(old, news, 'IM RAD-4 NW/SC'), textTo(old, news, 'RM RAD-4 NW/SC')];
      expect([shape(im), shape(rm)]).toEqual(['MSH PID PV1 ORC OBR ZDS', 'MSH PID PV1 ORC TQ1 OBR IPC']);
      expect(field(im, 'OBR', 4)).toBe('WRIST^Wrist in two planes^TESTPLAN^WR2^Protocol WR2^TESTPLAN');
      expect(field(rm, 'OBR', 4)).toBe('WRIST^Wrist in two planes^TESTPLAN');
      expect(field(rm, 'IPC', 6)).toBe('WR2^Protocol WR2^TESTPLAN');
      expect([field(im, 'ORC', 7).split('^')[3], field(rm, 'TQ1', 7)]).toEqual(['20260301090000', '20260301090000']);
      const first = (text: string): string => text.split('^')[0] ?? '';
      expect([18, 19, 20].map((number) => field(im, 'OBR', number))).toEqual(
        [1, 2, 4].map((number) => first(field(rm, 'IPC', number))),
      );
      expect(first(field(im, 'ZDS', 1))).toBe(field(rm, 'IPC', 3));
      expect([field(im, 'OBR', 24), first(field(rm, 'IPC', 5))]).toEqual(['DX', 'DX']);
      // RAD TF-2 4.4-3, 4.4-6: the longest that a receiver has to take
      for (const text of [im, rm]) {
        expect(field(text, 'MSH', 10).length).toBeLessThanOrEqual(20);
        expect(field(text, 'ORC', 3)).toBe(field(text, 'OBR', 3));
        expect(field(text, 'ORC', 3).length).toBeLessThanOrEqual(22);
      }
      for (const number of [18, 19, 20]) expect(field(im, 'OBR', number)).toMatch(/^.{1,16}$/);
    },
  );

  it('given a group number (ORC-4), when the placer cancels, then RAD-13 has it as RAD-4 had, in both versions', async () => {
    const number = `U${serial()}`;
    const patient = pid({ identifier: `P${number}^^^CLINIC` });
    const message = (control: string): string =>
      messageOf(
        msh('ORM^O01^ORM_O01'),
        patient,
        pv1(),
        segment('ORC', { 1: control, 2: `${number}^HIS`, 4: `G${number}^HIS`, 9: '20260105080000' }),
        ...(control === 'NW' ? [segment('OBR', { 1: '1', 2: `${number}^HIS`, 4: 'WRIST^^TESTPLAN' })] : []),
      );
    for (const [control, pair] of [
      ['NW', 'RAD-4 NW/SC'],
      ['CA', 'RAD-13 CA/CA'],
    ] as const) {
      expect(await old.send(message(control))).toMatchObject({ code: 'AA' });
      const news = await old.news();
      for (const peer of ['IM', 'RM'])
        expect(field(textTo(old, news, `${peer} ${pair}`), 'ORC', 4)).toBe(`G${number}^HIS`);
    }
  });
});

describe('an order of the department while the image manager is down (RAD TF-2 4.3, 4.4)', () => {
  it('given SN and NA, then the worklist has it, and RAD-4 goes out when the image manager is back', async () => {
    const number = `U${serial()}`;
    await lanesEmpty(old);
    await old.im.down();
    old.op.will(numbers({ placerOrderNumber: `${number}^HIS` }));
    const patient = {
      identifiers: [{ value: `P${number}`, assigningAuthority: 'CLINIC' }],
      name: { family: 'Lindqvist' },
    };
    const { status } = await old.post('/api/orders', { patient, service: { code: 'WRIST', scheme: 'TESTPLAN' } });
    expect(status).toBe(201);
    await until('the number', () =>
      old.server.store.prisma.order.findFirst({ where: { placerOrderNumber: number } }).then((row) => row ?? undefined),
    );
    expect(await old.offered(number)).toHaveLength(1);
    const waits = { destination: 'IM', deliveryStatus: 'PENDING' as const, order: { placerOrderNumber: number } };
    expect(await old.server.store.prisma.delivery.count({ where: waits })).toBe(1);
    const uids = await old.begin(number);
    await old.im.up();
    await lanesEmpty(old);
    const arrived = old.im.distinct().filter((one) => one.placerOrderNumber === number);
    expect(arrived.map(({ order }) => order)).toEqual(['NW/SC']);
    await old.end(uids);
  });
});

describe('RAD-4 is the first word of a study to a manager, and the only one (RAD TF-2 4.4, 4.13)', () => {
  it('given a study that everything happens to, then NW/SC once to each manager, and what follows is RAD-13', async () => {
    const number = `U${serial()}`;
    const identifier = `P${number}^^^CLINIC`;
    const say = (control: string, more: OrderFields = {}) =>
      old.send(orm([{ placerOrderNumber: `${number}^HIS`, control, ...more }], { identifier }));
    await say('NW', { orcStart: '20260301090000' });
    const [procedure] = (await old.order({ placerOrderNumber: number })).requestedProcedures;
    const act = (verb: string, body: object = {}) =>
      old.post(`/api/procedures/${procedure?.requestedProcedureId}/${verb}`, body);
    await say('NW');
    await say('HD');
    await say('RL');
    await say('XO', { reason: 'FALL^Fall^L' });
    await act('reschedule', { start: '2026-03-02T11:00' });
    await act('schedule');
    await act('hold');
    await act('release');
    await act('schedule');
    await old.end(await old.begin(number), givenUp('110514'));
    await act('schedule');
    await old.end(await old.begin(number));
    await say('XO', { reason: 'FALL2^Fall again^L' });
    const news = (await old.news()).filter((one) => !one.startsWith('OP'));
    for (const peer of ['IM', 'RM']) {
      const told = news.filter((one) => one.startsWith(peer)).map((one) => one.slice(peer.length + 1));
      expect(told).toEqual(['RAD-4 NW/SC', 'RAD-13 XO/SC', 'RAD-13 XO/SC', 'RAD-13 XO/CM']);
    }
    const uids = old.texts
      .flatMap((text) => [field(text, 'ZDS', 1).split('^')[0], field(text, 'IPC', 3)])
      .filter(Boolean);
    expect(new Set(uids)).toEqual(new Set([procedure?.studyInstanceUid]));
  });
});

describe('what a placer is told by option, in v2.3.1 (RAD TF-2 4.3; HL7 tables 0038, 0119)', () => {
  it('given staff move an order, then XX in the structure of SN, with both numbers and the new start', async () => {
    const { number, act } = await ordered(old);
    expect(await act('reschedule', { start: '2026-03-02T11:00' })).toBe(200);
    const news = await old.news();
    expect(news.filter((one) => one.startsWith('OP')).sort()).toEqual(['OP RAD-3 XX/', 'OP RAD-48 S13']);
    const xx = textTo(old, news, 'OP RAD-3 XX/');
    expect([field(xx, 'MSH', 9).slice(0, 7), shape(xx)]).toEqual(['ORM^O01', 'MSH PID PV1 ORC OBR']);
    expect([field(xx, 'ORC', 2), field(xx, 'OBR', 2)]).toEqual([`${number}^HIS`, `${number}^HIS`]);
    expect(field(xx, 'ORC', 3)).toMatch(/^F\d+\^SWF_OF$/);
    expect(field(xx, 'ORC', 7).split('^')[3]).toBe('20260302110000');
  });

  it('given it asks (SS) while the order is held, partly done and discontinued, then SR says HD, A and DC', async () => {
    const asked = async ({ say }: Ordered): Promise<string[]> => {
      await old.news();
      expect(await say('SS', { withoutService: true })).toMatchObject({ code: 'AA' });
      return old.news();
    };
    const held = await ordered(old);
    await held.say('HD');
    expect(await asked(held)).toEqual(['OP RAD-3 SR/HD']);
    const partly = await ordered(old, { service: 'TRUNK^^TESTPLAN' });
    await old.end(await old.begin(partly.number, 1));
    expect(await asked(partly)).toEqual(['OP RAD-3 SR/A']);
    const ended = await ordered(old);
    await old.end(await old.begin(ended.number), givenUp('110508'));
    expect(await asked(ended)).toEqual(['OP RAD-3 SR/DC']);
  });

  it.each(['SS', 'XO', 'HD', 'RL', 'RP'])(
    'given %s of an order that nobody placed, then AR 204 and nothing is told',
    async (control) => {
      const answer = await old.send(orm([{ control, placerOrderNumber: `NOBODY${serial()}^HIS` }]));
      expect(answer).toMatchObject({ code: 'AR', error: '204', location: 'ORC^1^2' });
      expect(await old.news()).toEqual([]);
    },
  );
});

describe('an order that nobody has scheduled yet (RAD TF-2 4.2)', () => {
  it('given the placer changes and cancels it, then it is done here and no manager hears of it', async () => {
    const senders = [{ match: { application: 'HIS' }, orderControls: ['XO'] }];
    const site = await startOrderSite({ senders, policy: { autoSchedule: false } });
    const { number, say } = await ordered(site);
    expect(await say('XO', { reason: 'FALL^Fall^L', orcStart: '20260302090000' })).toMatchObject({ code: 'AA' });
    expect(await site.news()).toEqual([]);
    const { requestedProcedures } = await site.order({ placerOrderNumber: number });
    expect(requestedProcedures).toMatchObject([{ state: 'planned', steps: [{ stepStatus: 'SCHEDULED' }] }]);
    expect(await say('CA')).toMatchObject({ code: 'AA' });
    expect(await site.news()).toEqual([]);
    expect(await site.order({ placerOrderNumber: number })).toMatchObject({
      orderStatus: 'CA',
      requestedProcedures: [{ state: 'cancelled' }],
    });
    await site.stop();
  });
});

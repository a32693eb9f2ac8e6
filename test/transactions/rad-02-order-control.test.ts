import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type OrderFields, omg, omi, orm, serial } from '../support/messages.ts';
import { type OrderSite, givenUp, lanesEmpty, startOrderSite } from '../support/order-site.ts';

const ALL_CONTROLS = ['XO', 'HD', 'RL', 'RP', 'SS'];

/** A site that allows its sender everything, and one that allows IHE's own codes alone. */
let open: OrderSite;
let plain: OrderSite;
beforeAll(async () => {
  const senders = [{ match: { application: 'HIS' }, orderControls: ALL_CONTROLS }];
  [open, plain] = [await startOrderSite({ senders }), await startOrderSite()];
});
afterAll(async () => {
  await open.stop();
  await plain.stop();
});
// what other tests sent is not looked at
beforeEach(async () => {
  await open.news();
  await plain.news();
});

const SCHEDULED = ['IM RAD-4 NW/SC', 'OP RAD-48 S12', 'RM RAD-4 NW/SC'];
const CANCELLED = ['IM RAD-13 CA/CA', 'OP RAD-48 S15', 'RM RAD-13 CA/CA'];

const dialects = [
  ['ORM^O01 of v2.3.1', orm],
  ['OMG^O19 of v2.5.1', omg],
  ['OMI^O23 of v2.5.1', omi],
] as const;

for (const [dialect, build] of dialects) {
  describe(`RAD-2 as ${dialect}, by its order control (RAD TF-2 4.2; HL7 table 0119)`, () => {
    /** An order of a patient of its own, and how it is named. */
    async function ordered(site: OrderSite, more: Omit<OrderFields, 'control'> = {}) {
      const number = `K${serial()}`;
      const patient = { identifier: `P${number}^^^CLINIC` };
      const order = { placerOrderNumber: `${number}^HIS`, ...more };
      expect(await site.send(build([order], patient))).toMatchObject({ code: 'AA' });
      expect(await site.news()).toEqual(SCHEDULED);
      const say = (control: string, change: OrderFields = {}) =>
        site.send(build([{ placerOrderNumber: order.placerOrderNumber, control, ...change }], patient));
      return { number, patient, placerOrderNumber: order.placerOrderNumber, say };
    }

    it('given NW, then the order is scheduled: RAD-4 to the managers, RAD-48 S12 to the placer, one worklist item', async () => {
      const { number } = await ordered(open);
      expect(await open.order({ placerOrderNumber: number })).toMatchObject({
        orderStatus: 'SC',
        requestedProcedures: [{ state: 'scheduled', steps: [{ stepStatus: 'SCHEDULED' }] }],
      });
      expect(await open.offered(number)).toHaveLength(1);
    });

    describe.each([
      ['CA', 'cancel'],
      ['DC', 'discontinue'],
    ])('%s', (control) => {
      it.each([
        ['ORC alone', { withoutService: true }],
        ['ORC and OBR', {}],
        ['an OBR that names no service', { service: '' }],
      ])(
        'given nothing has begun, when it comes with %s, then RAD-13 CA/CA, RAD-48 S15, no worklist item, and no RAD-3: the ACK told it',
        async (_what, change) => {
          const { number, say } = await ordered(open);
          expect(await say(control, change)).toMatchObject({ code: 'AA', error: '' });
          expect(await open.news()).toEqual(CANCELLED);
          expect(await open.offered(number)).toEqual([]);
          const order = await open.order({ placerOrderNumber: number });
          expect(order).toMatchObject({
            orderStatus: 'CA',
            endedBy: 'placer',
            requestedProcedures: [{ state: 'cancelled', steps: [{ stepStatus: 'CANCELLED' }] }],
          });
          const line = { event: 'cancel', fromState: 'scheduled', toState: 'cancelled', causedBy: 'HIS', remark: null };
          expect(order.requestedProcedures[0]?.history.filter(({ event }) => event === 'cancel')).toMatchObject([line]);
        },
      );

      it('given it was cancelled, when the same comes in another message, then AA and nothing more goes out', async () => {
        const { number, say } = await ordered(open);
        await say(control);
        await open.news();
        expect(await say(control)).toMatchObject({ code: 'AA' });
        expect(await say('CA')).toMatchObject({ code: 'AA' });
        expect(await open.news()).toEqual([]);
        expect((await open.order({ placerOrderNumber: number })).orderStatus).toBe('CA');
      });

      it('given nobody knows the number, then AR 204 names ORC-2 (HL7 table 0357)', async () => {
        const answer = await open.send(build([{ control, placerOrderNumber: `UNKNOWN${serial()}^HIS` }]));
        expect(answer).toMatchObject({ code: 'AR', error: '204' });
        expect(answer.location).toMatch(/^ORC\^1\^2/);
        expect(await open.news()).toEqual([]);
      });

      it('given the number of another issuer (ORC-2.2), then AR 204 and the order stays', async () => {
        const { number, say } = await ordered(open);
        expect(await say(control, { placerOrderNumber: `${number}^ELSEWHERE` })).toMatchObject({ error: '204' });
        expect((await open.order({ placerOrderNumber: number })).orderStatus).toBe('SC');
      });

      it('given PID of another patient, then AR 204 names PID-3 and the order stays', async () => {
        const { number, placerOrderNumber } = await ordered(open);
        const foreign = build([{ control, placerOrderNumber }], { identifier: `X${serial()}^^^CLINIC` });
        const answer = await open.send(foreign);
        expect(answer).toMatchObject({ code: 'AR', error: '204' });
        expect(answer.location).toMatch(/^PID\^1\^3/);
        expect(await open.news()).toEqual([]);
        expect((await open.order({ placerOrderNumber: number })).orderStatus).toBe('SC');
      });

      it('given it is completed, then AE, nothing is done, and RAD-3 repeats SC/CM', async () => {
        const { number, say } = await ordered(open);
        await open.end(await open.begin(number));
        await open.news();
        expect(await say(control)).toMatchObject({ code: 'AE', error: '103' });
        expect(await open.news()).toEqual(['OP RAD-3 SC/CM']);
        expect((await open.order({ placerOrderNumber: number })).orderStatus).toBe('CM');
      });
    });

    it('given CA when acquisition has begun, then AE at its ORC-1, RAD-3 SC/IP repeats the status, and the history has the attempt', async () => {
      const { number, say } = await ordered(open);
      await open.begin(number);
      expect(await open.news()).toEqual(['OP RAD-3 SC/IP']);
      const answer = await say('CA');
      expect(answer).toMatchObject({ code: 'AE', error: '103' });
      expect(answer.location).toMatch(/^ORC\^1\^1/);
      expect(await open.news()).toEqual(['OP RAD-3 SC/IP']);
      const order = await open.order({ placerOrderNumber: number });
      expect(order).toMatchObject({
        orderStatus: 'IP',
        endedBy: null,
        requestedProcedures: [{ state: 'inProgress', steps: [{ stepStatus: 'STARTED' }] }],
      });
      expect(order.requestedProcedures[0]?.history.filter(({ event }) => event === 'cancel')).toMatchObject([
        { fromState: 'inProgress', toState: 'inProgress', causedBy: 'HIS', remark: 'not allowed in this state' },
      ]);
      expect(await open.offered(number)).toHaveLength(1);
    });

    it('given DC when acquisition has begun, then AA, RAD-13 DC/CA, no RAD-3, and what the modality still says changes nothing', async () => {
      const { number, say } = await ordered(open);
      const uids = await open.begin(number);
      await open.news();
      expect(await say('DC')).toMatchObject({ code: 'AA' });
      expect(await open.news()).toEqual(['IM RAD-13 DC/CA', 'RM RAD-13 DC/CA']);
      expect(await open.offered(number)).toEqual([]);
      const discontinued = {
        orderStatus: 'DC',
        requestedProcedures: [{ state: 'discontinued', steps: [{ stepStatus: 'DISCONTINUED' }] }],
      };
      expect(await open.order({ placerOrderNumber: number })).toMatchObject(discontinued);
      await open.end(uids, givenUp('110511'));
      expect(await open.news()).toEqual([]);
      expect(await open.order({ placerOrderNumber: number })).toMatchObject(discontinued);
    });

    it('given two orders in one message, when one of them cannot be cancelled, then neither is', async () => {
      const numbers = [`K${serial()}`, `K${serial()}`];
      const patient = { identifier: `P${numbers[0]}^^^CLINIC` };
      const orders = numbers.map((number) => ({ placerOrderNumber: `${number}^HIS` }));
      await open.send(build(orders, patient));
      await open.begin(numbers[1] ?? '');
      await open.news();
      const cancel = orders.map((order) => ({ ...order, control: 'CA' }));
      const answer = await open.send(build(cancel, patient));
      expect(answer).toMatchObject({ code: 'AE', error: '103' });
      expect(answer.location).toMatch(/^ORC\^2\^1/);
      expect(await open.news()).toEqual(['OP RAD-3 SC/IP']);
      expect((await open.order({ placerOrderNumber: numbers[0] ?? '' })).orderStatus).toBe('SC');
    });

    it('given cancel and new order in one message, then the old is off and the new is on (change as IHE has it)', async () => {
      const { number, patient, placerOrderNumber } = await ordered(plain);
      const next = `K${serial()}`;
      const orders = [
        { control: 'CA', placerOrderNumber },
        { control: 'NW', placerOrderNumber: `${next}^HIS`, service: 'SPINE^^TESTPLAN' },
      ];
      expect(await plain.send(build(orders, patient))).toMatchObject({ code: 'AA' });
      const news = await plain.news();
      expect(news.filter((one) => one.startsWith('IM'))).toEqual(['IM RAD-13 CA/CA', 'IM RAD-4 NW/SC']);
      expect(await plain.offered(number)).toEqual([]);
      expect(await plain.offered(next)).toHaveLength(2);
    });

    describe('XO and XX (an option of the site)', () => {
      it.each(['XO', 'XX'])(
        'given %s with another start, then the step is there, RAD-13 XO/SC and RAD-48 S13',
        async (control) => {
          const { number, say } = await ordered(open, { obr36: '20260301090000', reason: 'COUGH^Cough^L' });
          expect(await say(control, { obr36: '20260302101500' })).toMatchObject({ code: 'AA' });
          expect(await open.news()).toEqual(['IM RAD-13 XO/SC', 'OP RAD-48 S13', 'RM RAD-13 XO/SC']);
          expect(await open.offered(number, { ScheduledProcedureStepStartDate: '20260301' })).toEqual([]);
          expect(await open.offered(number, { ScheduledProcedureStepStartDate: '20260302' })).toHaveLength(1);
          // what the message left out stays
          expect((await open.order({ placerOrderNumber: number })).details).toMatchObject({
            reason: { code: 'COUGH' },
          });
        },
      );

      it('given XO that says nothing of the start, then only RAD-13 XO/SC; an absent field stays and "" clears (ITI TF-2 Appendix C)', async () => {
        const { number, say } = await ordered(open, {
          reason: 'COUGH^Cough^L',
          clinicalInformation: 'asthma',
          obr36: '20260301090000',
        });
        expect(await say('XO', { reason: '""' })).toMatchObject({ code: 'AA' });
        expect(await open.news()).toEqual(['IM RAD-13 XO/SC', 'RM RAD-13 XO/SC']);
        const { details } = await open.order({ placerOrderNumber: number });
        expect(details).toMatchObject({
          relevantClinicalInformation: 'asthma',
          requestedStart: { date: '2026-03-01' },
        });
        expect(details).not.toHaveProperty('reason');
        for (const message of open.texts) {
          expect(message).not.toContain('Cough');
          expect(message).toContain('asthma');
        }
      });

      it('given XO with another service (OBR-4), then AE 103 names it and nothing has changed', async () => {
        const { number, say } = await ordered(open, { reason: 'COUGH^Cough^L' });
        const answer = await say('XO', { service: 'SPINE^^TESTPLAN', reason: 'FALL^Fall^L' });
        expect(answer).toMatchObject({ code: 'AE', error: '103' });
        expect(answer.location).toMatch(/^OBR\^1\^4/);
        expect(await open.news()).toEqual([]);
        expect((await open.order({ placerOrderNumber: number })).details).toMatchObject({ reason: { code: 'COUGH' } });
      });

      it('given XO after completion, then RAD-13 XO/CM', async () => {
        const { number, say } = await ordered(open);
        await open.end(await open.begin(number));
        await open.news();
        expect(await say('XO', { reason: 'FALL^Fall^L' })).toMatchObject({ code: 'AA' });
        expect(await open.news()).toEqual(['IM RAD-13 XO/CM', 'RM RAD-13 XO/CM']);
        expect((await open.order({ placerOrderNumber: number })).orderStatus).toBe('CM');
      });

      it('given XO of a cancelled order, then AE and it stays cancelled', async () => {
        const { number, say } = await ordered(open);
        await say('CA');
        await open.news();
        expect(await say('XO', { reason: 'FALL^Fall^L' })).toMatchObject({ code: 'AE', error: '103' });
        expect((await open.order({ placerOrderNumber: number })).orderStatus).toBe('CA');
      });
    });

    describe('RP and RO (an option of the site)', () => {
      it('given RP and RO in one message, then the one is cancelled and the other scheduled', async () => {
        const { number, patient, placerOrderNumber } = await ordered(open);
        const next = `K${serial()}`;
        const pair = [
          { control: 'RP', placerOrderNumber },
          { control: 'RO', placerOrderNumber: `${next}^HIS` },
        ];
        expect(await open.send(build(pair, patient))).toMatchObject({ code: 'AA' });
        expect(await open.news()).toEqual([
          'IM RAD-13 CA/CA',
          'IM RAD-4 NW/SC',
          'OP RAD-48 S15',
          'OP RAD-48 S12',
          'RM RAD-13 CA/CA',
          'RM RAD-4 NW/SC',
        ]);
        expect(await open.offered(number)).toEqual([]);
        expect(await open.offered(next)).toHaveLength(1);
      });

      it('given the replaced one has begun, then AE and the replacement is not made', async () => {
        const { number, patient, placerOrderNumber } = await ordered(open);
        await open.begin(number);
        const next = `K${serial()}`;
        const pair = [
          { control: 'RP', placerOrderNumber },
          { control: 'RO', placerOrderNumber: `${next}^HIS` },
        ];
        expect(await open.send(build(pair, patient))).toMatchObject({ code: 'AE', error: '103' });
        expect(await open.server.store.prisma.order.count({ where: { placerOrderNumber: next } })).toBe(0);
      });
    });

    describe('PA and CH', () => {
      it('given a parent with its children in one message, then the children are performed and name their parent (ORC-8)', async () => {
        const parent = `K${serial()}`;
        const children = [`K${serial()}`, `K${serial()}`];
        const orders = [
          { control: 'PA', placerOrderNumber: `${parent}^HIS` },
          ...children.map((one) => ({
            control: 'CH',
            placerOrderNumber: `${one}^HIS`,
            parent: `${parent}&HIS^F1&ELSEWHERE`,
          })),
        ];
        expect(await plain.send(build(orders))).toMatchObject({ code: 'AA' });
        expect(await plain.offered(parent)).toEqual([]);
        expect((await plain.order({ placerOrderNumber: parent })).requestedProcedures).toEqual([]);
        for (const child of children) {
          const order = await plain.order({ placerOrderNumber: child });
          expect(order.details).toMatchObject({ parent: { id: parent, namespace: 'HIS' } });
          expect(await plain.offered(child)).toHaveLength(1);
        }
      });

      it('given PA alone, then it is there as a link for children to come, and nothing of it is performed', async () => {
        const parent = `K${serial()}`;
        const patient = { identifier: `P${parent}^^^CLINIC` };
        const orders = [{ control: 'PA', placerOrderNumber: `${parent}^HIS` }];
        expect(await plain.send(build(orders, patient))).toMatchObject({ code: 'AA' });
        expect(await plain.news()).toEqual([]);
        expect(await plain.offered(parent)).toEqual([]);
        const child = { control: 'CH', placerOrderNumber: `K${serial()}^HIS`, parent: `${parent}&HIS` };
        // placers send the parent along with each child
        expect(await plain.send(build([...orders, child], patient))).toMatchObject({ code: 'AA' });
        expect(await plain.news()).toEqual(SCHEDULED);
      });

      it('given CH that names no parent, then it is an order like NW, and the journal says what is missing', async () => {
        const child = `K${serial()}`;
        const answer = await plain.send(build([{ control: 'CH', placerOrderNumber: `${child}^HIS` }]));
        expect(answer).toMatchObject({ code: 'AA' });
        expect(await plain.news()).toEqual(SCHEDULED);
        const { remarks } = await plain.server.store.prisma.message.findFirstOrThrow({
          where: { controlId: answer.controlId, direction: 'IN' },
        });
        expect(remarks.join('\n')).toContain('ORC-8');
      });
    });

    describe('HD and RL (an option of the site)', () => {
      it('given HD, then the step is off the worklist and the order is HD; given RL, then it is back', async () => {
        const { number, say } = await ordered(open);
        expect(await say('HD', { withoutService: true })).toMatchObject({ code: 'AA' });
        expect(await open.offered(number)).toEqual([]);
        expect(await open.order({ placerOrderNumber: number })).toMatchObject({
          orderStatus: 'HD',
          requestedProcedures: [{ state: 'held', steps: [{ stepStatus: 'SCHEDULED' }] }],
        });
        expect(await say('RL', { withoutService: true })).toMatchObject({ code: 'AA' });
        expect(await open.offered(number)).toHaveLength(1);
        expect((await open.order({ placerOrderNumber: number })).orderStatus).toBe('SC');
        // nobody has to be told: the placer has its acknowledgement, and HD is no status of RAD-3
        expect(await open.news()).toEqual([]);
      });

      it('given it is on hold, when it is cancelled, then RAD-13 CA/CA', async () => {
        const { say } = await ordered(open);
        await say('HD');
        expect(await say('CA')).toMatchObject({ code: 'AA' });
        expect(await open.news()).toEqual(CANCELLED);
      });

      it.each(['HD', 'RL'])('given %s when acquisition has begun, then AE and RAD-3 SC/IP', async (control) => {
        const { number, say } = await ordered(open);
        await open.begin(number);
        await open.news();
        expect(await say(control)).toMatchObject({ code: 'AE', error: '103' });
        expect(await open.news()).toEqual(['OP RAD-3 SC/IP']);
      });
    });

    describe('SS (an option of the site)', () => {
      it('given an order at each of its stages, then AA and RAD-3 SR says its status', async () => {
        const { number, say } = await ordered(open);
        const asked = async (): Promise<string[]> => {
          expect(await say('SS', { withoutService: true })).toMatchObject({ code: 'AA' });
          return open.news();
        };
        expect(await asked()).toEqual(['OP RAD-3 SR/SC']);
        const uids = await open.begin(number);
        expect(await open.news()).toEqual(['OP RAD-3 SC/IP']);
        expect(await asked()).toEqual(['OP RAD-3 SR/IP']);
        await open.end(uids);
        expect(await open.news()).toEqual(['OP RAD-3 SC/CM']);
        expect(await asked()).toEqual(['OP RAD-3 SR/CM']);
      });

      it('given a cancelled order, then SR/CA', async () => {
        const { say } = await ordered(open);
        await say('CA');
        await open.news();
        expect(await say('SS')).toMatchObject({ code: 'AA' });
        expect(await open.news()).toEqual(['OP RAD-3 SR/CA']);
      });
    });

    it.each(['XO', 'XX', 'HD', 'RL', 'RP', 'RO', 'SS'])(
      'given %s from a sender that may not, then AE 103 names the code and the setting, and nothing is done',
      async (control) => {
        const { number, say } = await ordered(plain);
        const answer = await say(control, control === 'RO' ? { placerOrderNumber: `K${serial()}^HIS` } : {});
        expect(answer).toMatchObject({ code: 'AE', error: '103' });
        expect(answer.location).toMatch(/^ORC\^1\^1/);
        expect(answer.text).toContain(control);
        // MSA-3 of v2.3.1 has no room for the second half of the sentence
        if (build !== orm) expect(answer.text).toContain('orderControls');
        expect(await plain.news()).toEqual([]);
        expect((await plain.order({ placerOrderNumber: number })).orderStatus).toBe('SC');
      },
    );

    it.each(['SN', 'SC', 'OC', 'OK', 'CR', 'UC', 'DE', 'RE', 'CN', 'LI', 'AF', 'RF', 'OP', 'ZZ'])(
      'given %s, which no order placer says by RAD-2, then AE 103 names it and nothing is done',
      async (control) => {
        const answer = await open.send(build([{ control }]));
        expect(answer).toMatchObject({ code: 'AE', error: '103' });
        expect(answer.location).toMatch(/^ORC\^1\^1/);
        expect(answer.text).toContain(control);
        expect(await open.news()).toEqual([]);
      },
    );

    it.each([
      ['CA', 'CM'],
      ['DC', 'CM'],
      ['NW', 'CA'],
      ['HD', 'CM'],
      ['SS', 'IP'],
      ['RL', 'CA'],
    ])(
      'given %s with order status %s (ORC-5), then AE 103 names the pair and nothing is done',
      async (control, status) => {
        const { number, patient, placerOrderNumber } = await ordered(open);
        const fresh = `K${serial()}`;
        const orders = [
          { control: 'NW', placerOrderNumber: `${fresh}^HIS` },
          {
            control,
            placerOrderNumber: control === 'NW' ? `K${serial()}^HIS` : placerOrderNumber,
            orderStatus: status,
          },
        ];
        const answer = await open.send(build(orders, patient));
        expect(answer).toMatchObject({ code: 'AE', error: '103' });
        expect(answer.location).toMatch(/^ORC\^2\^5/);
        expect(answer.text).toContain(control);
        expect(answer.text).toContain(status);
        expect(await open.news()).toEqual([]);
        expect(await open.server.store.prisma.order.count({ where: { placerOrderNumber: fresh } })).toBe(0);
        expect((await open.order({ placerOrderNumber: number })).orderStatus).toBe('SC');
      },
    );
  });
}

describe('everything above', () => {
  it('given what went out, then the peers have taken every message', async () => {
    await Promise.all([lanesEmpty(open), lanesEmpty(plain)]);
    const refused = { where: { deliveryStatus: 'REFUSED' as const } };
    expect(await open.server.store.prisma.delivery.count(refused)).toBe(0);
    expect(await plain.server.store.prisma.delivery.count(refused)).toBe(0);
  });
});

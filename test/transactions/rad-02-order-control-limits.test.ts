import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { text } from '../../src/dicom/dataset.ts';
import { field, orm, serial } from '../support/messages.ts';
import { type OrderSite, startOrderSite } from '../support/order-site.ts';

let open: OrderSite;
beforeAll(async () => {
  open = await startOrderSite();
});
afterAll(() => open.stop());
// what other tests sent is not looked at
beforeEach(async () => void (await open.news()));

const CANCELLED = ['IM RAD-13 CA/CA', 'OP RAD-48 S15', 'RM RAD-13 CA/CA'];

describe('what an order control may not show or break', () => {
  it('given ORC-1 that is no code, then the error does not quote it (it could be content)', async () => {
    const answer = await open.send(orm([{ control: 'LINDQVIST' }]));
    expect(answer).toMatchObject({ code: 'AE', error: '103' });
    expect(answer.raw).not.toContain('LINDQVIST');
  });

  it('given an order whose steps all wait, when CA and MPPS come in the same instant, then either it is cancelled or it has begun', async () => {
    for (let round = 0; round < 10; round++) {
      const number = `K${serial()}`;
      const patient = { identifier: `P${number}^^^CLINIC` };
      await open.send(orm([{ placerOrderNumber: `${number}^HIS` }], patient));
      await open.news();
      const cancel = orm([{ placerOrderNumber: `${number}^HIS`, control: 'CA' }], patient);
      const [answer] = await Promise.all([open.send(cancel), open.begin(number)]);
      const { orderStatus } = await open.order({ placerOrderNumber: number });
      const news = await open.news();
      if (answer.code === 'AA') {
        expect(news).toEqual(CANCELLED);
        expect(orderStatus).toBe('CA');
      } else {
        expect(answer).toMatchObject({ code: 'AE', error: '103' });
        expect(news).toEqual(['OP RAD-3 SC/IP', 'OP RAD-3 SC/IP']);
        expect(orderStatus).toBe('IP');
      }
    }
  });

  it('given CA, then the cancelled step has no place in a patient query either, and its siblings stay', async () => {
    const number = `K${serial()}`;
    const patient = { identifier: `P${number}^^^CLINIC` };
    const sibling = `K${serial()}`;
    await open.send(orm([{ placerOrderNumber: `${number}^HIS` }, { placerOrderNumber: `${sibling}^HIS` }], patient));
    await open.send(orm([{ placerOrderNumber: `${number}^HIS`, control: 'CA' }], patient));
    expect(await open.offered(number)).toEqual([]);
    const [left, ...more] = await open.offered(sibling);
    expect(more).toEqual([]);
    expect(text(left ?? {}, 'PatientID')).toBe(`P${number}`);
  });
});

describe('a parent (ORC-1 PA) whose children are performed', () => {
  it('given its children are open, when it is cancelled, then AE; when they have ended, then AA and its order status is CA', async () => {
    const [parent, child] = [`K${serial()}`, `K${serial()}`];
    const patient = { identifier: `P${parent}^^^CLINIC` };
    const orders = [
      { control: 'PA', placerOrderNumber: `${parent}^HIS` },
      { control: 'CH', placerOrderNumber: `${child}^HIS`, parent: `${parent}&HIS` },
    ];
    const cancel = (number: string) => open.send(orm([{ placerOrderNumber: `${number}^HIS`, control: 'CA' }], patient));
    await open.send(orm(orders, patient));
    expect(await cancel(parent)).toMatchObject({ code: 'AE', error: '103' });
    expect((await open.order({ placerOrderNumber: parent })).orderStatus).toBe('SC');
    expect(await cancel(child)).toMatchObject({ code: 'AA' });
    await open.news();
    expect(await cancel(parent)).toMatchObject({ code: 'AA' });
    expect(await open.news()).toEqual([]);
    expect((await open.order({ placerOrderNumber: parent })).orderStatus).toBe('CA');
  });
});

describe('XO (an option of the site) that names another station', () => {
  /** ORC-15 is the field that names the station of this sender. */
  const senders = [{ match: { application: 'HIS' }, orderControls: ['XO'], station: 'ORC-15' }];

  it.each([
    ['that the catalogue plans, then it stays where the catalogue has it', 'WRIST^^TESTPLAN', 'DX1'],
    ['that the catalogue has not, then the step is there, on the worklist and in RAD-13', 'ODD^Odd^ELSEWHERE', 'DX2'],
  ])('given a service %s', async (_what, service, expected) => {
    const site = await startOrderSite({ senders });
    try {
      const number = `K${serial()}`;
      const patient = { identifier: `P${number}^^^CLINIC` };
      const at = (control: string, station: string): string =>
        orm([{ placerOrderNumber: `${number}^HIS`, control, service, modality: 'DX' }], patient).replace(
          /(\rORC(?:\|[^|\r]*){12})[^\r]*/,
          `$1|||${station}||`,
        );
      expect(await site.send(at('NW', 'DX1'))).toMatchObject({ code: 'AA' });
      expect(await site.offered(number, { ScheduledStationAETitle: 'DX1' })).toHaveLength(1);
      await site.news();
      expect(await site.send(at('XO', 'DX2'))).toMatchObject({ code: 'AA' });
      expect(await site.news()).toContain('RM RAD-13 XO/SC');
      expect(field(site.texts.find((one) => one.includes('\rIPC|')) ?? '', 'IPC', 9)).toBe(expected);
      expect(await site.offered(number)).toHaveLength(1);
      expect(await site.offered(number, { ScheduledStationAETitle: expected })).toHaveLength(1);
    } finally {
      await site.stop();
    }
  });
});

describe('UC (an option of the peer)', () => {
  it('given a placer that wants it, when its cancel comes too late, then RAD-3 UC says the status', async () => {
    const site = await startOrderSite({ placer: { sends: { orderControls: ['UC'] } } });
    try {
      const number = `K${serial()}`;
      const patient = { identifier: `P${number}^^^CLINIC` };
      await site.send(orm([{ placerOrderNumber: `${number}^HIS` }], patient));
      await site.begin(number);
      await site.news();
      const cancel = orm([{ placerOrderNumber: `${number}^HIS`, control: 'CA' }], patient);
      expect(await site.send(cancel)).toMatchObject({ code: 'AE' });
      expect(await site.news()).toEqual(['OP RAD-3 UC/IP']);
    } finally {
      await site.stop();
    }
  });
});

import { describe, expect, it } from 'vitest';
import { field, serial } from '../support/messages.ts';
import { inProgress, modality, newUid, stepsOf } from '../support/mpps.ts';
import { cx, patientSite } from '../support/patient-site.ts';
import {
  adtEvent,
  identifiersOf,
  merge,
  newPatient,
  orderFor,
  storedOrder,
  storedPatient,
  updatesAbout,
} from '../support/patients.ts';
import { times } from '../support/until.ts';

const site = patientSite();
const { listedAs, other, placeOrder, register, send } = site;

describe('merges in the same instant as other messages', () => {
  const ROUNDS = 20;

  it('given A into B and B into A at once, then one is done, the other refused, and one identifier is in use', async () => {
    await times(ROUNDS, async () => {
      const [a, b] = [await register('A^A'), await register('B^B')];
      const number = await placeOrder(a);
      const answers = await Promise.all([send(merge(cx(a), cx(b))), other(merge(cx(b), cx(a)))]);
      expect(answers.map(({ code }) => code).sort()).toEqual(['AA', 'AR']);
      expect(answers.map(({ error }) => error).sort()).toEqual(['', '204']);
      const { current, former } = await identifiersOf(site.server, a);
      expect([current.length, former.length]).toEqual([1, 1]);
      expect(await listedAs(number)).toMatchObject([{ patientId: current[0] }]);
    });
  });

  it('given an order of the subsumed patient at once, then both are AA and the order is the survivor’s', async () => {
    await times(ROUNDS, async () => {
      const [real, doe] = [await register('Real^Rita'), await register('Doe^Jane')];
      const number = `O${serial()}`;
      const answers = await Promise.all([
        send(merge(cx(real), cx(doe), 'Real^Rita')),
        other(orderFor(cx(doe), { number })),
      ]);
      expect(answers.map(({ code }) => code)).toEqual(['AA', 'AA']);
      expect(await listedAs(number)).toMatchObject([{ patientId: real, name: 'Real^Rita' }]);
      // Whichever came first, the archive has heard of the survivor: by A40, or in RAD-4 itself.
      const announced = await site.server.store.prisma.delivery.findFirstOrThrow({
        where: { effect: 'announceProcedure', order: { placerOrderNumber: number } },
        include: { message: true },
      });
      const told = (await updatesAbout(site.server, doe)).length > 0;
      expect(field(Buffer.from(announced.message.raw).toString('utf8'), 'PID', 3)).toContain(told ? doe : real);
    });
  });

  it('given A08 of the subsumed patient at once, then both are AA and the survivor keeps his name', async () => {
    await times(ROUNDS, async () => {
      const [real, doe] = [await register('Real^Rita'), await register('Doe^Jane')];
      const answers = await Promise.all([
        send(merge(cx(real), cx(doe), 'Real^Rita')),
        other(adtEvent('A08', { identifier: cx(doe), name: 'Doe^Judy' })),
      ]);
      expect(answers.map(({ code }) => code)).toEqual(['AA', 'AA']);
      expect(await storedPatient(site.server, doe)).toMatchObject({ name: { family: 'Real', given: 'Rita' } });
    });
  });

  it('given an MPPS of the subsumed patient at once, then both are done and no exception is noted', async () => {
    const unit = modality(site.server.ports.dicom);
    await times(ROUNDS, async () => {
      const [real, doe] = [await register('Real^Rita'), await register('Doe^Jane')];
      const number = await placeOrder(doe);
      const uid = newUid();
      const content = inProgress(await stepsOf(site.server.store, number));
      const [answer, status] = await Promise.all([
        send(merge(cx(real), cx(doe), 'Real^Rita')),
        unit.create(uid, content),
      ]);
      expect([answer.code, status]).toEqual(['AA', 0]);
      const performed = await site.server.store.prisma.performedProcedureStep.findUniqueOrThrow({
        where: { sopInstanceUid: uid },
      });
      expect(performed.exception).toBeNull();
      const order = await storedOrder(site.server, number);
      expect(order).toMatchObject({ orderStatus: 'IP', requestedProcedures: [{ state: 'inProgress' }] });
      expect(order.patient.identifiers[0]).toMatchObject({ value: real });
    });
  });

  it('given A into B and B into C at once, then C has everything, or A stays himself because B had gone before', async () => {
    await times(ROUNDS, async () => {
      const [a, b, c] = [await register('A^A'), await register('B^B'), await register('C^C')];
      const numbers = [await placeOrder(a), await placeOrder(b)];
      const [first, second] = await Promise.all([send(merge(cx(b), cx(a), 'B^B')), other(merge(cx(c), cx(b), 'C^C'))]);
      expect(second).toMatchObject({ code: 'AA', error: '' });
      expect([first.code, first.error].join(' ')).toMatch(/^(AA |AR 204)$/);
      const owner = first.code === 'AA' ? { patientId: c, name: 'C^C' } : { patientId: a, name: 'A^A' };
      expect(await listedAs(numbers[0] ?? '')).toMatchObject([owner]);
      expect(await listedAs(numbers[1] ?? '')).toMatchObject([{ patientId: c, name: 'C^C' }]);
    });
  });

  it.each(['A28', 'A31', 'A08'])(
    'given %s and an order for a new patient at once, then they make one patient',
    async (event) => {
      await times(ROUNDS, async () => {
        const value = newPatient();
        const number = `O${serial()}`;
        const answers = await Promise.all([
          send(adtEvent(event, { identifier: cx(value), name: 'New^Nora' })),
          other(orderFor(cx(value), { number, name: 'New^Nora' })),
        ]);
        expect(answers.map(({ code }) => code)).toEqual(['AA', 'AA']);
        expect((await storedPatient(site.server, value)).orders).toHaveLength(1);
      });
    },
  );

  it('given A40 into a new survivor and the survivor’s registration at once, then they make one patient', async () => {
    await times(ROUNDS, async () => {
      const [real, doe] = [newPatient(), await register('Doe^Jane')];
      const number = await placeOrder(doe);
      const answers = await Promise.all([
        send(merge(cx(real), cx(doe), 'Real^Rita')),
        other(adtEvent('A04', { identifier: cx(real), name: 'Real^Rita', pv1: { 2: 'O' } })),
      ]);
      expect(answers.map(({ code }) => code)).toEqual(['AA', 'AA']);
      const survivor = await storedPatient(site.server, real);
      expect(survivor.registeredByMessageId).not.toBeNull();
      expect(survivor.orders).toHaveLength(1);
      expect(await listedAs(number)).toMatchObject([{ patientId: real }]);
    });
  });
});

import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Sender, adt, connectSender, orm, serial } from '../support/messages.ts';
import { type PeerDouble, startPeer } from '../support/peers.ts';
import { type TestServer, startTestServer } from '../support/server.ts';
import { times, until } from '../support/until.ts';

let archive: PeerDouble;
let server: TestServer;
let placer: Sender;
let second: Sender;
beforeAll(async () => {
  archive = await startPeer('IM', 'image-manager');
  server = await startTestServer({ peers: [archive.entry] });
  [placer, second] = [await connectSender(server.ports.hl7), await connectSender(server.ports.hl7)];
});
afterAll(async () => {
  placer.end();
  second.end();
  await server.stop();
  await archive.down();
});

const order = (placerOrderNumber: string, envelope: object, patient: object = { identifier: 'D1^^^CLINIC' }): string =>
  orm([{ placerOrderNumber: `${placerOrderNumber}^HIS` }], patient, envelope);

const count = (placerOrderNumber: string) => server.store.prisma.order.count({ where: { placerOrderNumber } });
const journal = (controlId: string) =>
  server.store.prisma.message.findMany({ where: { controlId, direction: 'IN' }, orderBy: { id: 'asc' } });

describe('a message that comes again (duplicate MSH-10)', () => {
  it('given it was answered AA, then the stored answer comes again byte for byte and nothing else happens', async () => {
    const placerOrderNumber = `D${serial()}`;
    const message = order(placerOrderNumber, { controlId: placerOrderNumber });
    const first = await placer.send(message);
    expect(first.code).toBe('AA');
    await until('its RAD-4', () => archive.received.some((one) => one.placerOrderNumber === placerOrderNumber));
    const repeated = [await placer.send(message), await second.send(message)];
    expect(repeated.map(({ raw }) => raw)).toEqual([first.raw, first.raw]);
    expect(await count(placerOrderNumber)).toBe(1);
    expect(await journal(placerOrderNumber)).toHaveLength(1);
    expect(archive.received.filter((one) => one.placerOrderNumber === placerOrderNumber)).toHaveLength(1);
    expect(await server.store.prisma.delivery.count({ where: { order: { placerOrderNumber } } })).toBe(1);
  });

  it('given both copies in the same instant, then both answers are the same bytes and there is one order', async () => {
    await times(20, async () => {
      const placerOrderNumber = `D${serial()}`;
      const message = order(placerOrderNumber, { controlId: placerOrderNumber });
      const answers = await Promise.all([placer.send(message), second.send(message)]);
      expect(answers[0].code).toBe('AA');
      expect(answers[1].raw).toBe(answers[0].raw);
      expect(await count(placerOrderNumber)).toBe(1);
      expect(await journal(placerOrderNumber)).toHaveLength(1);
    });
  });

  it('given a copy whose last line ends otherwise, then it is the same message', async () => {
    const placerOrderNumber = `D${serial()}`;
    const message = order(placerOrderNumber, { controlId: placerOrderNumber });
    const first = await placer.send(message);
    const copies = [message.replace(/\r$/, ''), `${message}\n`, `${message}\r`];
    for (const copy of copies) expect((await placer.send(copy)).raw).toBe(first.raw);
    expect(await count(placerOrderNumber)).toBe(1);
  });

  it('given a message that the version before had accepted, then its copy is known by the same key', async () => {
    const placerOrderNumber = `D${serial()}`;
    const message = order(placerOrderNumber, { controlId: placerOrderNumber });
    await placer.send(message);
    const [msh = '', ...others] = message.split('\r');
    const fields = msh.split('|').map((field, index) => (index === 6 ? '' : field));
    const parts = ['HIS', 'CLINIC', placerOrderNumber, fields.join('|')].map((part) => `${part}\0`);
    const key = createHash('sha256')
      .update(parts.join(''))
      .update(`\r${others.join('\r')}`, 'latin1')
      .digest('hex');
    expect(await journal(placerOrderNumber)).toMatchObject([{ contentKey: key }]);
  });

  it('given a copy that was stamped anew (MSH-7), then it is the same message', async () => {
    const placerOrderNumber = `D${serial()}`;
    const stamped = (time: string) => order(placerOrderNumber, { controlId: placerOrderNumber, time });
    const first = await placer.send(stamped('20260105080000'));
    expect((await placer.send(stamped('20260105080455+0100'))).raw).toBe(first.raw);
    expect((await placer.send(stamped(''))).raw).toBe(first.raw);
    expect(await count(placerOrderNumber)).toBe(1);
  });

  it('given copies with line ends or a byte order mark before MSH, stamped anew, then they are the same message', async () => {
    const placerOrderNumber = `D${serial()}`;
    const stamped = (time: string) => order(placerOrderNumber, { controlId: placerOrderNumber, time });
    const first = await placer.send(stamped('20260105080000'));
    expect(first.code).toBe('AA');
    for (const before of ['\r', '\r\n', '\n\n', '\ufeff'])
      expect((await placer.send(before + stamped('20260105080455'))).raw).toBe(first.raw);
    expect(await count(placerOrderNumber)).toBe(1);
    expect(await journal(placerOrderNumber)).toHaveLength(1);
    expect(await server.store.prisma.delivery.count({ where: { order: { placerOrderNumber } } })).toBe(1);
  });

  it('given a server that was started again in between, then the stored answer still comes', async () => {
    const one = await startTestServer({ database: server.database });
    const sender = await connectSender(one.ports.hl7);
    const placerOrderNumber = `D${serial()}`;
    const message = order(placerOrderNumber, { controlId: placerOrderNumber });
    const first = await sender.send(message);
    sender.end();
    await one.stop();
    expect((await placer.send(message)).raw).toBe(first.raw);
    expect(await count(placerOrderNumber)).toBe(1);
  });

  it('given the same content from another sender (MSH-3, MSH-4), then it is another message', async () => {
    const controlId = `D${serial()}`;
    const patient = { identifier: `${controlId}^^^CLINIC` };
    await placer.send(adt('A04', patient, { controlId, facility: 'NORTH' }));
    await placer.send(adt('A04', patient, { controlId, facility: 'SOUTH' }));
    const entries = await journal(controlId);
    expect(entries.map(({ outcome, controlIdReused }) => [outcome, controlIdReused])).toEqual([
      ['ACCEPTED', false],
      ['ACCEPTED', false],
    ]);
  });
});

describe('a control id that comes with other content', () => {
  it('given the first was accepted, then the second is carried out as well and marked', async () => {
    const controlId = `D${serial()}`;
    const [first, other] = [`D${serial()}`, `D${serial()}`];
    expect(await placer.send(order(first, { controlId }))).toMatchObject({ code: 'AA' });
    const answer = await placer.send(order(other, { controlId }));
    expect(answer).toMatchObject({ code: 'AA', controlId });
    expect([await count(first), await count(other)]).toEqual([1, 1]);
    const entries = await journal(controlId);
    expect(entries.map(({ controlIdReused }) => controlIdReused)).toEqual([false, true]);
    expect(entries[1]?.remarks.join()).toContain('MSH-10');
  });
});

describe('a message that was refused and comes again (after AE or AR it is processed anew)', () => {
  it('given the cause is gone because the patient was registered, then the same bytes are now AA', async () => {
    const strict = await startTestServer({ policy: { unknownPatient: 'reject' } });
    const sender = await connectSender(strict.ports.hl7);
    const controlId = `D${serial()}`;
    const identifier = `${controlId}^^^CLINIC`;
    const message = order(controlId, { controlId }, { identifier });
    expect(await sender.send(message)).toMatchObject({ code: 'AR', error: '204' });
    expect(await sender.send(message)).toMatchObject({ code: 'AR', error: '204' });
    await sender.send(adt('A04', { identifier }));
    const accepted = await sender.send(message);
    expect(accepted.code).toBe('AA');
    expect((await sender.send(message)).raw).toBe(accepted.raw);
    const entries = await strict.store.prisma.message.findMany({ where: { controlId }, orderBy: { id: 'asc' } });
    expect(entries.map(({ outcome, answerCode }) => `${outcome} ${answerCode}`)).toEqual([
      'REFUSED AR',
      'REFUSED AR',
      'ACCEPTED AA',
    ]);
    expect(entries.every(({ controlIdReused }) => !controlIdReused)).toBe(true);
    sender.end();
    await strict.stop();
  });

  it('given it was refused, then the journal finds it by its transaction (RAD-2), with its answer', async () => {
    const controlId = `D${serial()}`;
    const { raw } = await placer.send(orm([{ service: '' }], {}, { controlId }));
    const query = new URLSearchParams({ transaction: 'RAD-2', outcome: 'refused', controlId });
    const response = await fetch(`http://127.0.0.1:${server.ports.http}/api/messages?${query.toString()}`);
    const { items } = (await response.json()) as { items: { id: number; answerCode: string; remarks: string[] }[] };
    expect(items).toMatchObject([{ transaction: 'RAD-2', outcome: 'refused', answerCode: 'AE', controlId }]);
    expect(items[0]?.remarks.join()).toContain('OBR-4');
    const message = await fetch(`http://127.0.0.1:${server.ports.http}/api/messages/${items[0]?.id}`);
    expect(await message.json()).toMatchObject({ answer: raw });
  });

  it('given AE and a site that was set up differently since, then the same bytes are now AA', async () => {
    const controlId = `D${serial()}`;
    const message = orm([{ placerOrderNumber: `${controlId}^HIS`, service: 'ODD^Odd view^X' }], {}, { controlId });
    const policies = [
      ['reject', 'AE'],
      ['accept', 'AA'],
      ['reject', 'AA'],
    ] as const;
    for (const [unknownProcedure, code] of policies) {
      const one = await startTestServer({ database: server.database, policy: { unknownProcedure } });
      const sender = await connectSender(one.ports.hl7);
      expect(await sender.send(message)).toMatchObject({ code });
      sender.end();
      await one.stop();
    }
    expect(await count(controlId)).toBe(1);
  });

  it('given a refused and a good message with the same bytes but for the fault, then the good one is not marked as reused', async () => {
    const controlId = `D${serial()}`;
    expect(await placer.send(adt('A04', { name: '' }, { controlId }))).toMatchObject({ code: 'AE' });
    expect(await placer.send(adt('A04', {}, { controlId }))).toMatchObject({ code: 'AA' });
    expect((await journal(controlId)).map(({ controlIdReused }) => controlIdReused)).toEqual([false, false]);
  });
});

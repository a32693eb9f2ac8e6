import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Sender, connectSender, orm, serial } from '../support/messages.ts';
import { type Behaviour, type PeerDouble, accepts, answers, startPeer } from '../support/peers.ts';
import { type TestServer, startTestServer } from '../support/server.ts';
import { until } from '../support/until.ts';

for (const version of ['2.3.1', '2.5.1'] as const) {
  describe(`what a peer of v${version} answers to RAD-4 (ITI TF-2 Appendix C)`, () => {
    let im: PeerDouble;
    let server: TestServer;
    let placer: Sender;
    beforeAll(async () => {
      im = await startPeer('IM', 'image-manager', { version });
      server = await startTestServer({ peers: [im.entry] });
      placer = await connectSender(server.ports.hl7);
    });
    afterAll(async () => {
      placer.end();
      await server.stop();
      await im.down();
    });

    /** Two orders, one after the other; what became of their RAD-4, and what arrived. */
    async function deliverTwo(...behaviours: readonly Behaviour[]) {
      im.will(...behaviours);
      im.received.length = 0;
      const numbers = [`L${serial()}`, `L${serial()}`];
      for (const one of numbers)
        expect(await placer.send(orm([{ placerOrderNumber: `${one}^HIS` }]))).toMatchObject({ code: 'AA' });
      const rows = await until('both are settled', async () => {
        const found = await server.store.prisma.delivery.findMany({
          where: { order: { placerOrderNumber: { in: numbers } }, deliveryStatus: { not: 'PENDING' } },
          orderBy: { id: 'asc' },
          include: { message: true },
        });
        return found.length === 2 ? found : undefined;
      });
      return { rows, arrived: im.received.map((one) => numbers.indexOf(one.placerOrderNumber)) };
    }

    it.each<[string, Behaviour]>([
      ['closes the connection without an answer', { kind: 'close' }],
      ['answers another control id (MSA-2)', { kind: 'answer', code: 'AA', controlId: 'SOMEBODY' }],
      ['refuses in the name of another control id', { kind: 'answer', code: 'AE', controlId: 'SOMEBODY' }],
      ['answers AR 207 (application internal error)', answers('AR', '207')],
      ['answers AE 207', answers('AE', '207')],
      ['answers AR 206 (record locked)', answers('AR', '206')],
      ['answers with a code that is none (MSA-1)', answers('XX')],
    ])(
      'given it %s three times, then the fourth attempt carries the same bytes and nothing has overtaken it',
      async (_what, behaviour) => {
        const { rows, arrived } = await deliverTwo(behaviour, behaviour, behaviour, accepts);
        expect(rows.map(({ deliveryStatus, attempts }) => [deliveryStatus, attempts])).toEqual([
          ['DELIVERED', 4],
          ['DELIVERED', 1],
        ]);
        expect(arrived).toEqual([0, 0, 0, 0, 1]);
        expect(new Set(im.received.slice(0, 4).map(({ raw }) => raw)).size).toBe(1);
        expect(Buffer.from(rows[0]?.message.raw ?? []).toString()).toBe(im.received[0]?.raw);
        expect(rows[0]?.message).toMatchObject({ direction: 'OUT', outcome: 'ACCEPTED', answerCode: 'AA', peer: 'IM' });
      },
    );

    it.each([
      ['AE', '103'],
      ['AE', undefined],
      ['AR', '200'],
      ['AR', undefined],
      ['CE', undefined],
      ['CR', '205'],
    ])(
      'given it answers %s %s, then the message is refused, kept, not sent again, and the lane goes on',
      async (code, error) => {
        const { rows, arrived } = await deliverTwo(answers(code, error), accepts);
        expect(rows.map(({ deliveryStatus, attempts }) => [deliveryStatus, attempts])).toEqual([
          ['REFUSED', 1],
          ['DELIVERED', 1],
        ]);
        expect(rows[0]?.lastError).toBe([code, error].filter(Boolean).join(' '));
        expect(rows[0]?.message).toMatchObject({ outcome: 'REFUSED', answerCode: code });
        expect(Buffer.from(rows[0]?.message.answer ?? []).toString()).toContain(`MSA|${code}|`);
        expect(arrived).toEqual([0, 1]);
      },
    );

    it.each(['AA', 'CA'])('given it answers %s, then the message is delivered', async (code) => {
      const { rows, arrived } = await deliverTwo(answers(code));
      expect(rows).toMatchObject([
        { deliveryStatus: 'DELIVERED', message: { answerCode: code } },
        { deliveryStatus: 'DELIVERED', message: { answerCode: code } },
      ]);
      expect(arrived).toEqual([0, 1]);
    });
  });
}

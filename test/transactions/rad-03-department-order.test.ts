import { afterEach, describe, expect, it } from 'vitest';
import { type Version, adt, field, omg, orderReply, orm, serial } from '../support/messages.ts';
import { modality } from '../support/mpps.ts';
import { type OrderSite, type OrderSiteOptions, lanesEmpty, startOrderSite } from '../support/order-site.ts';
import { type Behaviour, accepts, answers, numbers } from '../support/peers.ts';
import { until } from '../support/until.ts';

let site: OrderSite;
afterEach(() => site.stop());

const start = async (options: OrderSiteOptions = {}, ...behaviours: Behaviour[]): Promise<void> => {
  site = await startOrderSite(options);
  site.op.will(...(behaviours.length > 0 ? behaviours : [accepts]));
};

interface Placed {
  readonly fillerOrderNumber: string;
  readonly accessionNumber: string;
  readonly patient: { readonly identifier: string };
}

/** An order of the department for a patient of its own. */
async function place(more: object = {}): Promise<Placed> {
  const value = `D${serial()}`;
  const patient = {
    identifiers: [{ value, assigningAuthority: 'CLINIC' }],
    name: { family: 'Lindqvist', given: 'Maja' },
  };
  const service = { code: 'WRIST', scheme: 'TESTPLAN', meaning: 'Wrist in two planes' };
  const { status, body } = await site.post('/api/orders', { patient, service, start: '2026-03-01T09:30', ...more });
  expect(status).toBe(201);
  return { ...(body as Omit<Placed, 'patient'>), patient: { identifier: `${value}^^^CLINIC` } };
}

const stored = ({ fillerOrderNumber }: Placed) => site.order({ fillerOrderNumber });
const state = async (placed: Placed): Promise<string | undefined> =>
  (await stored(placed)).requestedProcedures[0]?.state;

/** The SN as it arrived at the placer. */
async function asked(): Promise<string> {
  const sn = await until('SN at OP', () => site.op.received.find(({ order }) => order.startsWith('SN')));
  return sn.raw;
}

const numbered = (placed: Placed) =>
  until('the order has its number', async () => (await stored(placed)).placerOrderNumber ?? undefined);

const SCHEDULED = ['IM RAD-4 NW/SC', 'OP RAD-48 S12', 'RM RAD-4 NW/SC'];

for (const version of ['2.3.1', '2.5.1'] as const satisfies readonly Version[]) {
  const type = version === '2.3.1' ? 'ORM^O01' : 'OMG^O19';
  const reply = version === '2.3.1' ? 'ORR^O02' : 'ORG^O20';
  const echo = version === '2.3.1' ? orm : omg;

  describe(`RAD-3 an order of the department, placer of v${version} (RAD TF-2 4.3)`, () => {
    it(`given it is placed, then ${type} SN without a placer order number goes out, and it is planned: no worklist item, no RAD-4`, async () => {
      await start({ placer: { version } });
      const placed = await place();
      expect(await site.news()).toEqual(['OP RAD-3 SN/']);
      const sn = await asked();
      expect(field(sn, 'MSH', 9)).toContain(type);
      expect(field(sn, 'ORC', 2)).toBe('');
      expect(field(sn, 'OBR', 2)).toBe('');
      expect(field(sn, 'ORC', 3)).toBe(`${placed.fillerOrderNumber}^SWF_OF`);
      expect(field(sn, 'OBR', 3)).toBe(`${placed.fillerOrderNumber}^SWF_OF`);
      expect(field(sn, 'OBR', 4)).toBe('WRIST^Wrist in two planes^TESTPLAN');
      expect(field(sn, 'PID', 3)).toContain(placed.patient.identifier.split('^')[0]);
      expect(field(sn, 'PV1', 2)).not.toBe('');
      const timing = version === '2.3.1' ? field(sn, 'ORC', 7).split('^')[3] : field(sn, 'TQ1', 7);
      expect(timing).toMatch(/^202603010930/);
      expect(await stored(placed)).toMatchObject({
        placerOrderNumber: null,
        numberPending: true,
        departmental: true,
        alarm: null,
        requestedProcedures: [{ state: 'planned', steps: [{ stepStatus: 'SCHEDULED' }] }],
      });
      const { datasets } = await worklistOf(placed);
      expect(datasets).toEqual([]);
    });

    it(`given the placer answers SN by ${reply} with NA, then the order has that number and is scheduled: RAD-4, RAD-48, worklist`, async () => {
      await start({ placer: { version } }, numbers({ placerOrderNumber: 'OP4711^HIS' }));
      const placed = await place();
      expect(await numbered(placed)).toBe('OP4711');
      expect(await site.news()).toEqual(['OP RAD-3 SN/', ...SCHEDULED].sort());
      for (const text of site.texts.filter((one) => field(one, 'ORC', 1) === 'NW'))
        expect(field(text, 'ORC', 2)).toBe('OP4711^HIS');
      const siu = site.texts.find((one) => field(one, 'MSH', 9).startsWith('SIU')) ?? '';
      expect(field(siu, 'SCH', 26)).toBe('OP4711^HIS');
      expect(field(siu, 'SCH', 27)).toContain(placed.fillerOrderNumber);
      expect(await stored(placed)).toMatchObject({ placerOrderIssuer: 'HIS', numberPending: false, alarm: null });
      expect(await site.offered('OP4711')).toHaveLength(1);
    });

    it.each([
      ['names our order (ORC-3)', (placed: Placed) => ({ fillerOrderNumber: `${placed.fillerOrderNumber}^SWF_OF` })],
      ['names the message that asked (MSA-2)', (_: Placed, sn: string) => ({ acknowledges: field(sn, 'MSH', 10) })],
    ])(
      `given the placer acknowledges SN and its NA comes as a message of its own that %s, then AA and the same`,
      async (_what, naming) => {
        await start({ placer: { version } });
        const placed = await place();
        const named = naming(placed, await asked());
        await site.news();
        const na = { control: 'NA', placerOrderNumber: 'OP4712^HIS', ...named };
        expect(await site.send(orderReply(na, version))).toMatchObject({ code: 'AA', error: '' });
        expect(await site.news()).toEqual(SCHEDULED);
        expect(await stored(placed)).toMatchObject({ placerOrderNumber: 'OP4712', numberPending: false });
        expect(await site.offered('OP4712')).toHaveLength(1);
      },
    );

    it.each([
      ['UA on our connection', numbers({ control: 'UA' })],
      ['AE', answers('AE', '103')],
      ['AR 204', answers('AR', '204')],
      ['an NA without a number', numbers({})],
    ])(
      'given the placer answers SN by %s, then an alarm says so and the order stays planned',
      async (_what, answer) => {
        await start({ placer: { version } }, answer);
        const placed = await place();
        const alarm = await until('the alarm', async () => (await stored(placed)).alarm ?? undefined);
        expect(alarm).toContain('placer');
        expect(await stored(placed)).toMatchObject({ placerOrderNumber: null, numberPending: false });
        expect(await state(placed)).toBe('planned');
        expect(await site.news()).toEqual(['OP RAD-3 SN/']);
      },
    );

    it('given UA comes as a message of its own, then AA and the alarm', async () => {
      await start({ placer: { version } });
      const placed = await place();
      await asked();
      const ua = { control: 'UA', fillerOrderNumber: placed.fillerOrderNumber };
      expect(await site.send(orderReply(ua, version))).toMatchObject({ code: 'AA' });
      expect((await stored(placed)).alarm).toContain('placer');
      expect(await state(placed)).toBe('planned');
    });

    it('given UA, when NA comes after all, then the alarm is gone and the order is scheduled', async () => {
      await start({ placer: { version } }, numbers({ control: 'UA' }), accepts);
      const placed = await place();
      await until('the alarm', async () => (await stored(placed)).alarm ?? undefined);
      await site.news();
      const na = { control: 'NA', placerOrderNumber: 'OP9^HIS', fillerOrderNumber: placed.fillerOrderNumber };
      expect(await site.send(orderReply(na, version))).toMatchObject({ code: 'AA' });
      expect(await stored(placed)).toMatchObject({ placerOrderNumber: 'OP9', alarm: null });
      expect(await site.news()).toEqual(SCHEDULED);
    });

    it('given AR 207, then SN is tried again with the same control id and no alarm (HL7 table 0357)', async () => {
      await start({ placer: { version } }, answers('AR', '207'), numbers({ placerOrderNumber: 'OP4713^HIS' }));
      const placed = await place();
      expect(await numbered(placed)).toBe('OP4713');
      const attempts = site.op.received.filter(({ order }) => order.startsWith('SN'));
      expect(attempts).toHaveLength(2);
      expect(new Set(attempts.map(({ raw }) => raw)).size).toBe(1);
      expect((await stored(placed)).alarm).toBeNull();
    });

    it('given the placer is down, then the order waits without alarm, and goes on when it is back', async () => {
      await start({ placer: { version } }, numbers({ placerOrderNumber: 'OP4714^HIS' }));
      await site.op.down();
      const placed = await place();
      await until(
        'an attempt failed',
        async () =>
          (await site.server.store.prisma.delivery.findFirst({ where: { destination: 'OP', attempts: { gt: 0 } } }))
            ?.lastError ?? undefined,
      );
      expect(await stored(placed)).toMatchObject({ numberPending: true, alarm: null });
      expect(await state(placed)).toBe('planned');
      await site.op.up();
      expect(await numbered(placed)).toBe('OP4714');
      expect(await state(placed)).toBe('scheduled');
    });

    it('given the placer echoes its number by NW, then AA, no second order, and nothing more goes out', async () => {
      await start({ placer: { version } }, numbers({ placerOrderNumber: 'OP4715^HIS' }));
      const placed = await place();
      await numbered(placed);
      await site.news();
      const nw = { placerOrderNumber: 'OP4715^HIS' };
      expect(await site.send(echo([nw], placed.patient))).toMatchObject({ code: 'AA' });
      const named = { ...nw, fillerOrderNumber: `${placed.fillerOrderNumber}^SWF_OF` };
      expect(await site.send(echo([named], placed.patient))).toMatchObject({ code: 'AA' });
      expect(await site.news()).toEqual([]);
      expect(await site.server.store.prisma.order.count()).toBe(1);
      expect(await site.offered('OP4715')).toHaveLength(1);
    });

    it('given NW with that number for another patient or another service, then AR 205', async () => {
      await start({ placer: { version } }, numbers({ placerOrderNumber: 'OP4716^HIS' }));
      const placed = await place();
      await numbered(placed);
      await site.news();
      const nw = { placerOrderNumber: 'OP4716^HIS' };
      const other = { ...nw, service: 'SPINE^^TESTPLAN' };
      expect(await site.send(echo([nw]))).toMatchObject({ code: 'AR', error: '205' });
      expect(await site.send(echo([other], placed.patient))).toMatchObject({ code: 'AR', error: '205' });
      expect(await site.news()).toEqual([]);
    });

    it('given NA twice, then the same number changes nothing and another one is AR 205', async () => {
      await start({ placer: { version } }, numbers({ placerOrderNumber: 'OP4717^HIS' }));
      const placed = await place();
      await numbered(placed);
      await site.news();
      const na = { control: 'NA', placerOrderNumber: 'OP4717^HIS', fillerOrderNumber: placed.fillerOrderNumber };
      expect(await site.send(orderReply(na, version))).toMatchObject({ code: 'AA' });
      const another = { ...na, placerOrderNumber: 'OP9999^HIS' };
      expect(await site.send(orderReply(another, version))).toMatchObject({ code: 'AR', error: '205' });
      expect(await site.news()).toEqual([]);
      expect((await stored(placed)).placerOrderNumber).toBe('OP4717');
    });

    it('given NA as a message with the PID of another patient, then AR 204 at PID-3 and the order still waits', async () => {
      await start({ placer: { version } }, accepts);
      const placed = await place();
      const na = { control: 'NA', placerOrderNumber: 'OP4720^HIS', fillerOrderNumber: placed.fillerOrderNumber };
      const message = orderReply(na, version).replace('\rORC|', '\rPID|1||SOMEBODY^^^CLINIC||Else^Eve\rORC|');
      expect(await site.send(message)).toMatchObject({ code: 'AR', error: '204' });
      expect(await stored(placed)).toMatchObject({ placerOrderNumber: null, numberPending: true });
    });

    it('given NA with a number that another order has, then AR 205 as a message and an alarm as an answer: nothing is numbered twice', async () => {
      await start({ placer: { version } }, accepts);
      await site.send(orm([{ placerOrderNumber: 'OP4718^HIS' }]));
      const first = await place();
      await until(
        'SN is acknowledged',
        () => site.op.received.some(({ order }) => order.startsWith('SN')) || undefined,
      );
      const na = { control: 'NA', placerOrderNumber: 'OP4718^HIS', fillerOrderNumber: first.fillerOrderNumber };
      expect(await site.send(orderReply(na, version))).toMatchObject({ code: 'AR', error: '205' });
      site.op.will(numbers({ placerOrderNumber: 'OP4718^HIS' }));
      const second = await place();
      await until('the alarm', async () => (await stored(second)).alarm ?? undefined);
      for (const placed of [first, second]) {
        expect((await stored(placed)).placerOrderNumber).toBeNull();
        expect(await state(placed)).toBe('planned');
      }
    });

    it('given the order was cancelled before its number came, then NA is taken and RAD-3 OC with that number goes out', async () => {
      await start({ placer: { version } });
      const placed = await place();
      await asked();
      const [procedure] = (await stored(placed)).requestedProcedures;
      const cancelled = await site.post(`/api/procedures/${procedure?.requestedProcedureId}/cancel`);
      expect(cancelled.status).toBe(200);
      // nobody has been told of it: there is nobody to tell
      expect(await site.news()).toEqual(['OP RAD-3 SN/']);
      const na = { control: 'NA', placerOrderNumber: 'OP4719^HIS', fillerOrderNumber: placed.fillerOrderNumber };
      expect(await site.send(orderReply(na, version))).toMatchObject({ code: 'AA' });
      const [line, ...more] = await site.news();
      expect(more).toEqual([]);
      expect(line).toMatch(/^OP RAD-3 OC\/(CA)?$/);
      expect(field(site.texts[0] ?? '', 'ORC', 2)).toBe('OP4719^HIS');
      expect(await site.offered('OP4719')).toEqual([]);
    });

    it('given it was scheduled by staff and begun before its number came, then RAD-3 SC/IP waits for the number', async () => {
      await start({ placer: { version } });
      const placed = await place();
      await asked();
      const [procedure] = (await stored(placed)).requestedProcedures;
      const scheduled = await site.post(`/api/procedures/${procedure?.requestedProcedureId}/schedule`);
      expect(scheduled.status).toBe(200);
      expect(await site.news()).toEqual(['IM RAD-4 NW/SC', 'OP RAD-3 SN/', 'RM RAD-4 NW/SC']);
      await site.begin({ fillerOrderNumber: placed.fillerOrderNumber });
      expect(await site.news()).toEqual([]);
      const na = { control: 'NA', placerOrderNumber: 'OP4720^HIS', fillerOrderNumber: placed.fillerOrderNumber };
      expect(await site.send(orderReply(na, version))).toMatchObject({ code: 'AA' });
      // the managers, who were told of it without the placer's number, are told the number (RAD-13)
      expect(await site.news()).toEqual(['IM RAD-13 XO/SC', 'OP RAD-3 SC/IP', 'RM RAD-13 XO/SC']);
      for (const text of site.texts) expect(field(text, 'ORC', 2)).toBe('OP4720^HIS');
    });

    it.each([
      [
        'an order that is not ours (ORC-3)',
        { control: 'NA', placerOrderNumber: 'X1^HIS', fillerOrderNumber: 'F999999' },
        'AR',
        '204',
      ],
      ['nothing of ours at all', { control: 'NA', placerOrderNumber: 'X1^HIS' }, 'AR', '204'],
      ['no number (ORC-2)', { control: 'NA', fillerOrderNumber: 'F1' }, 'AE', '101'],
    ])('given a reply that names %s, then it is refused', async (_what, said, code, error) => {
      await start({ placer: { version } });
      expect(await site.send(orderReply(said, version))).toMatchObject({ code, error });
    });

    it('given a reply to SN that says neither NA nor UA, then AE 103', async () => {
      await start({ placer: { version } });
      const placed = await place();
      await asked();
      const ok = { control: 'OK', placerOrderNumber: 'X1^HIS', fillerOrderNumber: placed.fillerOrderNumber };
      expect(await site.send(orderReply(ok, version))).toMatchObject({ code: 'AE', error: '103' });
      expect(await stored(placed)).toMatchObject({ placerOrderNumber: null, numberPending: true });
    });
  });
}

/** The worklist by accession number: without a placer order number. */
function worklistOf({ accessionNumber }: Placed) {
  return modality(site.server.ports.dicom).find({
    AccessionNumber: accessionNumber,
    ScheduledProcedureStepSequence: [{ ScheduledProcedureStepID: null }],
  });
}

describe('an order of the department, by the site', () => {
  it('given a site without an order placer, then it is scheduled at once and nobody is asked for a number', async () => {
    await start({ withoutPlacer: true });
    const placed = await place();
    expect(await site.news()).toEqual(['IM RAD-4 NW/SC', 'RM RAD-4 NW/SC']);
    for (const text of site.texts) {
      expect(field(text, 'ORC', 2)).toBe('');
      expect(field(text, 'ORC', 3)).toContain(placed.fillerOrderNumber);
    }
    expect(await stored(placed)).toMatchObject({ placerOrderNumber: null, numberPending: false, alarm: null });
    expect((await worklistOf(placed)).datasets).toHaveLength(1);
  });

  it('given `autoSchedule: false`, when NA comes, then the order has its number and stays planned', async () => {
    await start({ policy: { autoSchedule: false } }, numbers({ placerOrderNumber: 'OP1^HIS' }));
    const placed = await place();
    await numbered(placed);
    expect(await state(placed)).toBe('planned');
    expect(await site.news()).toEqual(['OP RAD-3 SN/']);
  });

  it('given a number without a namespace (ORC-2.2), then its issuer is the placer, and the placer can cancel by it', async () => {
    await start({}, numbers({ placerOrderNumber: 'OP2' }));
    const placed = await place();
    await numbered(placed);
    expect((await stored(placed)).placerOrderIssuer).toBe('HIS');
    await site.news();
    const cancel = orm([{ control: 'CA', placerOrderNumber: 'OP2' }], placed.patient);
    expect(await site.send(cancel)).toMatchObject({ code: 'AA' });
    expect(await site.news()).toEqual(['IM RAD-13 CA/CA', 'OP RAD-48 S15', 'RM RAD-13 CA/CA']);
  });

  it('given a patient whom RAD-1 registered, then SN carries PID as registered', async () => {
    await start();
    const identifier = `D${serial()}`;
    await site.send(adt('A04', { identifier: `${identifier}^^^CLINIC`, name: 'Nordahl^Siv', birthDate: '19610203' }));
    await place({ patient: { identifiers: [{ value: identifier, assigningAuthority: 'CLINIC' }] } });
    const sn = await asked();
    expect(field(sn, 'PID', 5)).toBe('Nordahl^Siv');
    expect(field(sn, 'PID', 7)).toBe('19610203');
  });

  it('given a study that was made already (PIR cases 3 and 5), then RAD-4 carries its Study Instance UID', async () => {
    await start({}, numbers({ placerOrderNumber: 'OP3^HIS' }));
    await numbered(await place({ studyInstanceUid: '2.25.4711' }));
    await lanesEmpty(site);
    const [rad4] = site.im.received;
    expect(rad4?.order).toBe('NW/SC');
    expect(field(rad4?.raw ?? '', 'ZDS', 1)).toBe('2.25.4711^100^Application^DICOM');
    expect(field(site.rm.received[0]?.raw ?? '', 'IPC', 3)).toBe('2.25.4711');
  });

  it('given the placer sends its copy by NW before its NA, then it is that order, scheduled once, and NA changes nothing', async () => {
    await start({}, { kind: 'silence' }, numbers({ placerOrderNumber: 'OP4^HIS' }));
    const placed = await place();
    await asked();
    await site.news();
    expect(await site.send(orm([{ placerOrderNumber: 'OP4^HIS' }], placed.patient))).toMatchObject({ code: 'AA' });
    expect(await site.news()).toEqual(SCHEDULED);
    expect(await stored(placed)).toMatchObject({ placerOrderNumber: 'OP4', numberPending: false, alarm: null });
    await site.op.down();
    await site.op.up();
    await lanesEmpty(site);
    expect(await site.news()).toEqual([]);
    expect((await stored(placed)).alarm).toBeNull();
    expect(await site.server.store.prisma.order.count()).toBe(1);
  });

  it('given two orders of the department wait for their numbers, when NW comes for one, then ORC-3 says for which', async () => {
    await start();
    const value = `D${serial()}`;
    const patient = { identifiers: [{ value, assigningAuthority: 'CLINIC' }], name: { family: 'Lindqvist' } };
    const [first, second] = [await place({ patient }), await place({ patient })];
    const copy = { placerOrderNumber: 'OP6^HIS', fillerOrderNumber: `${second.fillerOrderNumber}^SWF_OF` };
    expect(await site.send(orm([copy], { identifier: `${value}^^^CLINIC` }))).toMatchObject({ code: 'AA' });
    expect((await stored(second)).placerOrderNumber).toBe('OP6');
    expect((await stored(first)).placerOrderNumber).toBeNull();
    expect(await site.server.store.prisma.order.count()).toBe(2);
  });

  it.each(['NA', 'UA'])(
    'given %s comes as an order message (ORM^O01), then it is the reply to our SN',
    async (control) => {
      await start();
      const placed = await place();
      await asked();
      await site.news();
      const { fillerOrderNumber } = placed;
      const reply = { control, placerOrderNumber: 'OP7^HIS', fillerOrderNumber, withoutService: true };
      expect(await site.send(orm([reply], placed.patient))).toMatchObject({ code: 'AA' });
      expect(await site.news()).toEqual(control === 'NA' ? SCHEDULED : []);
      expect(await stored(placed)).toMatchObject({ placerOrderNumber: control === 'NA' ? 'OP7' : null });
      const unknown = orm([{ ...reply, fillerOrderNumber: 'F999999' }], placed.patient);
      expect(await site.send(unknown)).toMatchObject({ code: 'AR', error: '204' });
    },
  );

  it('given it was scheduled by staff before it had a number, when it is numbered, then the placer hears of the appointment and the managers of the number', async () => {
    await start();
    const placed = await place();
    await asked();
    const [procedure] = (await stored(placed)).requestedProcedures;
    await site.post(`/api/procedures/${procedure?.requestedProcedureId}/schedule`);
    await site.news();
    const na = { control: 'NA', placerOrderNumber: 'OP5^HIS', fillerOrderNumber: placed.fillerOrderNumber };
    expect(await site.send(orderReply(na))).toMatchObject({ code: 'AA' });
    expect(await site.news()).toEqual(['IM RAD-13 XO/SC', 'OP RAD-48 S12', 'RM RAD-13 XO/SC']);
    for (const text of site.texts.filter((one) => one.includes('\rORC|')))
      expect(field(text, 'ORC', 2)).toBe('OP5^HIS');
  });
});

import { describe, expect, it } from 'vitest';
import { field, serial } from '../support/messages.ts';
import { completed, inProgress, modality, newUid, stepsOf } from '../support/mpps.ts';
import { cx, everybody, patientSite } from '../support/patient-site.ts';
import {
  PATIENT_NAME,
  adtEvent,
  historyOf,
  identifiersOf,
  merge,
  newPatient,
  orderFor,
  patientView,
  remarksOn,
  storedOrder,
  storedPatient,
  updatesAbout,
} from '../support/patients.ts';

const site = patientSite();
const { accepted, listedAs, placeOrder, refused, register, told } = site;

describe.each(['2.3.1', '2.5', '2.5.1'])(
  'A40 in v%s at each stage of an order (RAD TF-2 4.12; MESA 133)',
  (version) => {
    const a40 = (survivor: string, subsumed: string) => merge(cx(survivor), cx(subsumed), 'Real^Rita', { version });

    it('given no order yet, then one patient is left, the old identifier finds him, and nobody is told', async () => {
      const [real, doe] = [await register('Real^Rita'), await register('Doe^Jane')];
      await accepted(a40(real, doe));
      const survivor = await storedPatient(site.server, real);
      expect(await storedPatient(site.server, doe)).toMatchObject({
        id: survivor.id,
        name: { family: 'Real', given: 'Rita' },
      });
      expect(await identifiersOf(site.server, real)).toEqual({ current: [real], former: [doe] });
      expect(await site.server.store.prisma.patient.count({ where: { mergedIntoId: survivor.id } })).toBe(1);
      expect(await told(real)).toEqual([]);
    });

    it('given a scheduled procedure, then the worklist shows the survivor at once, and each archive is sent A40', async () => {
      const [real, doe] = [
        await register('Real^Rita'),
        await register('Doe^Jane', { 2: 'I', 3: 'WARD7', 19: 'VD1^^^CLINIC' }),
      ];
      const number = await placeOrder(doe, 'VD1');
      expect(await listedAs(number)).toMatchObject([{ patientId: doe, name: 'Doe^Jane', admissionId: 'VD1' }]);
      await accepted(a40(real, doe));
      expect(await listedAs(number)).toMatchObject([
        { patientId: real, issuer: 'CLINIC', otherIds: [], name: 'Real^Rita', admissionId: 'VD1', location: 'WARD7' },
      ]);
      expect(await historyOf(site.server, number)).toContain('patientMerged');
      expect(await told(doe)).toEqual(everybody('A40'));
      for (const { to, raw } of await updatesAbout(site.server, doe)) {
        const old = to !== 'IM_B';
        const typed = (value: string): string => (old ? cx(value) : `${cx(value)}^PI`);
        expect(field(raw, 'MSH', 9)).toMatch(old ? /^ADT\^A40(\^ADT_A39)?$/ : /^ADT\^A40\^ADT_A39$/);
        expect([3, 4].map((number) => field(raw, 'MSH', number))).toEqual(['SWF_OF', 'RADIOLOGY']);
        expect([field(raw, 'PID', 3), field(raw, 'PID', 5)]).toEqual([typed(real), 'Real^Rita']);
        expect([1, 4, 7].map((number) => field(raw, 'MRG', number))).toEqual([
          typed(doe),
          old ? cx(doe) : '',
          'Doe^Jane',
        ]);
      }
    });

    it('given an exam under way, then its MPPS goes on under the old identifier and ends without an exception', async () => {
      const [real, doe] = [await register('Real^Rita'), await register('Doe^Jane')];
      const number = await placeOrder(doe);
      const [uid, unit] = [newUid(), modality(site.server.ports.dicom)];
      expect(await unit.create(uid, inProgress(await stepsOf(site.server.store, number)))).toBe(0);
      await accepted(a40(real, doe));
      expect(await listedAs(number)).toMatchObject([{ patientId: real }]);
      expect(await unit.set(uid, completed([newUid()]))).toBe(0);
      const order = await storedOrder(site.server, number);
      expect(order).toMatchObject({ orderStatus: 'CM', requestedProcedures: [{ state: 'completed' }] });
      expect(order.patient.identifiers[0]).toMatchObject({ value: real });
      const performed = await site.server.store.prisma.performedProcedureStep.findUniqueOrThrow({
        where: { sopInstanceUid: uid },
      });
      expect(performed.exception).toBeNull();
      expect(await told(doe)).toEqual(everybody('A40'));
    });

    it('given a completed exam, then it is the survivor’s, and who has the images is told', async () => {
      const [real, doe] = [await register('Real^Rita'), await register('Doe^Jane')];
      const number = await placeOrder(doe);
      const [uid, unit] = [newUid(), modality(site.server.ports.dicom)];
      expect(await unit.create(uid, inProgress(await stepsOf(site.server.store, number)))).toBe(0);
      expect(await unit.set(uid, completed([newUid()]))).toBe(0);
      await accepted(a40(real, doe));
      expect((await storedOrder(site.server, number)).patient.identifiers[0]).toMatchObject({ value: real });
      expect(await told(doe)).toEqual(everybody('A40'));
    });
  },
);

describe('what follows a merge (RAD TF-2 4.12)', () => {
  async function merged(): Promise<{ readonly real: string; readonly doe: string; readonly number: string }> {
    const [real, doe] = [await register('Real^Rita'), await register('Doe^Jane')];
    const number = await placeOrder(doe);
    await accepted(merge(cx(real), cx(doe), 'Real^Rita'));
    return { real, doe, number };
  }

  it('given an order for the subsumed identifier, then it is the survivor’s, with a remark', async () => {
    const { real, doe } = await merged();
    const number = `O${serial()}`;
    const { controlId } = await accepted(orderFor(cx(doe), { number, name: 'Doe^Jane' }));
    expect(await listedAs(number)).toMatchObject([{ patientId: real, name: 'Real^Rita' }]);
    expect(await remarksOn(site.server, controlId)).toContain('was merged into another patient');
  });

  it('given a cancel under the subsumed identifier, then it is done', async () => {
    const { doe, number } = await merged();
    await accepted(orderFor(cx(doe), { number, control: 'CA' }));
    expect(await storedOrder(site.server, number)).toMatchObject({ orderStatus: 'CA' });
    expect(await listedAs(number)).toEqual([]);
  });

  it.each(['A01', 'A04', 'A05', 'A08', 'A28', 'A31'])(
    'given %s under the subsumed identifier, then it fills what is empty and changes nothing else',
    async (event) => {
      const { real, doe } = await merged();
      const pid = { 8: 'M', 10: 'RACE', 18: 'ACC7^^^CLINIC' };
      const message = adtEvent(event, {
        identifier: cx(doe),
        name: 'Doe^Jane',
        birthDate: '19990101',
        pid,
        pv1: { 2: 'O' },
      });
      const { controlId } = await accepted(message);
      const patient = await storedPatient(site.server, real);
      expect(patient).toMatchObject({ name: { family: 'Real' }, sex: 'F', demographics: { race: 'RACE' } });
      expect(patient.birthDate?.toISOString().slice(0, 10)).toBe('1979-04-12');
      expect(await remarksOn(site.server, controlId)).toContain('was merged into another patient');
      expect(await identifiersOf(site.server, real)).toEqual({ current: [real], former: [doe] });
    },
  );

  it('given an MPPS of a modality that still has the old identifier, then patient-differs is no exception', async () => {
    const { doe, number } = await merged();
    const [uid, unit] = [newUid(), modality(site.server.ports.dicom)];
    const content = inProgress(await stepsOf(site.server.store, number), {
      PatientID: doe,
      IssuerOfPatientID: 'CLINIC',
    });
    expect(await unit.create(uid, content)).toBe(0);
    const performed = await site.server.store.prisma.performedProcedureStep.findUniqueOrThrow({
      where: { sopInstanceUid: uid },
    });
    expect(performed.exception).toBeNull();
  });

  it('given a worklist query by patient ID, then the new identifier finds the step and the old one does not', async () => {
    const { real, doe } = await merged();
    const found = async (patientId: string): Promise<number> => {
      const path = `/api/worklist?patientId=${patientId}`;
      const response = await fetch(`http://127.0.0.1:${site.server.ports.http}${path}`);
      expect(response.status).toBe(200);
      const body = (await response.json()) as { items?: unknown[] } | unknown[];
      return (Array.isArray(body) ? body : (body.items ?? [])).length;
    };
    expect([await found(real), await found(doe)]).toEqual([1, 0]);
  });

  it('given GET /api/patients by the old and by the new identifier, then both are the survivor and say who was merged', async () => {
    const { real, doe } = await merged();
    const [byNew, byOld] = [await patientView(site.server, real), await patientView(site.server, doe)];
    expect(byNew.status).toBe(200);
    expect(byOld).toEqual(byNew);
    expect(byNew.body).toMatchObject({
      identifiers: [{ value: real, assigningAuthority: 'CLINIC' }],
      formerIdentifiers: [{ value: doe, assigningAuthority: 'CLINIC' }],
      name: { family: 'Real' },
      orders: [{ orderStatus: 'SC' }],
    });
    expect(byNew.body['merges']).toHaveLength(1);
  });

  it('given a later A08 of the survivor, then PID-3 names the survivor alone, and the archive that only knew the subsumed one is told', async () => {
    const { real } = await merged();
    await accepted(adtEvent('A08', { identifier: cx(real), name: 'Real^Rosa' }));
    const sent = (await updatesAbout(site.server, real)).filter(({ event }) => event === 'A08');
    expect(sent.map(({ to }) => to).sort()).toEqual(['IM', 'IM_B', 'RM']);
    for (const { raw } of sent) expect(field(raw, 'PID', 3)).toMatch(new RegExp(`^${real}\\^\\^\\^CLINIC(\\^PI)?$`));
  });

  it('given the same merge under another control id, then it is AA with a remark and nothing changes', async () => {
    const { real, doe } = await merged();
    const { controlId } = await accepted(merge(cx(real), cx(doe), 'Real^Rita'));
    expect(await remarksOn(site.server, controlId)).toContain('merged into this patient before');
    expect(await identifiersOf(site.server, real)).toEqual({ current: [real], former: [doe] });
  });

  it('given an order created the survivor’s predecessor, then after the merge step 1 has happened: the patient is one whom ADT registered', async () => {
    const [real, temporary] = [await register('Real^Rita'), newPatient()];
    const number = await placeOrder(temporary);
    await accepted(merge(cx(real), cx(temporary), 'Real^Rita'));
    const response = await fetch(
      `http://127.0.0.1:${site.server.ports.http}/api/procedures?placerOrderNumber=${number}`,
    );
    const { items } = (await response.json()) as {
      items: { patientId: string; transactions: { step: number; happened: boolean }[] }[];
    };
    expect(items).toMatchObject([{ patientId: real }]);
    expect(items[0]?.transactions.find(({ step }) => step === 1)).toMatchObject({ happened: true });
  });
});

describe('stays of merged patients (PV1)', () => {
  it('given both have a stay under one number, then it is one stay and orders of both hang on it', async () => {
    const visit = `V${serial()}`;
    const [real, doe] = [
      await register('Real^Rita', { 2: 'I', 3: 'WARD1', 19: cx(visit) }),
      await register('Doe^Jane', { 2: 'I', 3: 'WARD7', 19: cx(visit) }),
    ];
    const numbers = [await placeOrder(real, visit), await placeOrder(doe, visit)];
    await accepted(merge(cx(real), cx(doe)));
    expect((await storedPatient(site.server, real)).visits).toHaveLength(1);
    for (const number of numbers)
      expect(await listedAs(number)).toMatchObject([{ patientId: real, admissionId: visit, location: 'WARD1' }]);
  });

  it('given different stays, then the survivor has both', async () => {
    const [one, two] = [`V${serial()}`, `V${serial()}`];
    const [real, doe] = [
      await register('Real^Rita', { 2: 'I', 19: cx(one) }),
      await register('Doe^Jane', { 2: 'O', 19: cx(two) }),
    ];
    await accepted(merge(cx(real), cx(doe)));
    expect((await storedPatient(site.server, real)).visits.map(({ visitNumber }) => visitNumber)).toEqual([one, two]);
  });

  it('given A40 names in PV1 the stay of the subsumed patient, then its location and status stay', async () => {
    const visit = `V${serial()}`;
    const [real, doe] = [
      await register('Real^Rita'),
      await register('Doe^Jane', { 2: 'I', 3: 'WARD7', 19: cx(visit) }),
    ];
    const number = await placeOrder(doe, visit);
    await accepted(adtEvent('A03', { identifier: cx(doe), name: 'Doe^Jane', pv1: { 2: 'I', 19: cx(visit) } }));
    await accepted(adtEvent('A40', { identifier: cx(real), mrg: { 1: cx(doe) }, pv1: { 2: 'I', 19: cx(visit) } }));
    expect((await storedOrder(site.server, number)).visit).toMatchObject({ visitNumber: visit, visitStatus: 'CLOSED' });
    expect(await listedAs(number)).toMatchObject([{ location: 'WARD7', admissionId: visit }]);
  });
});

describe('whom an A40 means', () => {
  it('given nobody has MRG-1, then AR 204 names it and nothing is done', async () => {
    const real = await register();
    await refused(merge(cx(real), cx(newPatient())), { code: 'AR', error: '204', location: 'MRG^1^1' });
  });

  it('given MRG-1 names an identifier of PID-3, then AR 205 names it and nothing is done', async () => {
    const real = await register();
    await refused(merge(cx(real), cx(real)), { code: 'AR', error: '205', location: 'MRG^1^1' });
  });

  it.each([
    ['MRG-1', { mrg: { 1: '' } }, 'MRG^1^1'],
    ['PID-3', { identifier: '' }, 'PID^1^3'],
    ['PID-5', { name: '' }, 'PID^1^5'],
  ])('given %s is empty, then AE 101 names it and nothing is done', async (_what, fields, location) => {
    const [real, doe] = [await register(), await register()];
    await refused(adtEvent('A40', { identifier: cx(real), mrg: { 1: cx(doe) }, ...fields }), {
      code: 'AE',
      error: '101',
      location,
    });
  });

  it('given the survivor is not known, then he is made from PID, with a remark', async () => {
    const [real, doe] = [newPatient(), await register('Doe^Jane')];
    const number = await placeOrder(doe);
    const { controlId } = await accepted(merge(cx(real), cx(doe), 'Real^Rita'));
    expect(await listedAs(number)).toMatchObject([{ patientId: real, name: 'Real^Rita' }]);
    expect(await remarksOn(site.server, controlId)).toContain('was not known and was made from PID');
  });

  it('given one identifier value under two authorities, then only the patient of the named one is merged', async () => {
    const value = newPatient();
    const real = await register('Real^Rita');
    await accepted(adtEvent('A04', { identifier: cx(value, 'NORTH'), name: 'North^Nils' }));
    await accepted(adtEvent('A04', { identifier: cx(value, 'SOUTH'), name: 'South^Sven' }));
    await accepted(merge(cx(real), cx(value, 'SOUTH'), 'Real^Rita'));
    const south = await site.server.store.prisma.patientIdentifier.findFirstOrThrow({
      where: { value, assigningAuthority: 'SOUTH' },
    });
    const north = await site.server.store.prisma.patientIdentifier.findFirstOrThrow({
      where: { value, assigningAuthority: 'NORTH' },
    });
    expect(south).toMatchObject({ patientId: (await storedPatient(site.server, real)).id, current: false });
    expect(north.patientId).not.toBe(south.patientId);
    expect(north.current).toBe(true);
  });

  it('given MRG-1 names nobody under its authority, but the value under another, then AR 204: authorities are not joined', async () => {
    const [real, doe] = [await register(), await register()];
    await refused(merge(cx(real), cx(doe, 'ELSEWHERE')), { code: 'AR', error: '204' });
  });

  it('given identifiers of other authorities, then they go along and stay in use; one that the survivor has already does not', async () => {
    const [real, doe, state, insurance, other] = [newPatient(), newPatient(), newPatient(), newPatient(), newPatient()];
    await accepted(adtEvent('A04', { identifier: `${cx(real)}~${cx(insurance, 'INSURER')}` }));
    await accepted(adtEvent('A04', { identifier: `${cx(doe)}~${cx(state, 'STATE')}~${cx(other, 'INSURER')}` }));
    const number = await placeOrder(doe);
    await accepted(merge(cx(real), cx(doe)));
    expect(await identifiersOf(site.server, real)).toEqual({ current: [real, insurance, state], former: [doe, other] });
    expect(await listedAs(number)).toMatchObject([{ patientId: real, otherIds: [insurance, state] }]);
  });

  it('given MRG-1 with an identifier of each of two patients, then the first one tells who goes, and the other stays himself, with a remark', async () => {
    const [real, one, two] = [await register(), await register('One^A'), await register('Two^B')];
    await placeOrder(one);
    await placeOrder(two);
    const { controlId } = await accepted(merge(cx(real), `${cx(one)}~${cx(two)}`));
    expect(await identifiersOf(site.server, real)).toEqual({ current: [real], former: [one] });
    expect(await identifiersOf(site.server, two)).toEqual({ current: [two], former: [] });
    expect(await remarksOn(site.server, controlId)).toContain('belongs to another patient and stays there');
    expect(await told(one)).toEqual(everybody('A40'));
    expect(await told(two)).toEqual([]);
  });

  it('given MRG-1 with a second identifier that nobody has, then it finds the survivor from now on', async () => {
    const [real, doe, unused] = [await register(), await register('Doe^Jane'), newPatient()];
    const { controlId } = await accepted(merge(cx(real), `${cx(doe)}~${cx(unused)}`));
    expect(await identifiersOf(site.server, real)).toEqual({ current: [real], former: [doe, unused] });
    expect(await remarksOn(site.server, controlId)).toContain('nobody’s');
  });

  it('given PID-3 and MRG-1 share a national number, then it stays in use and names nobody who goes', async () => {
    const [real, doe, national] = [newPatient(), newPatient(), newPatient()];
    await accepted(adtEvent('A04', { identifier: `${cx(real)}~${cx(national, 'NATION')}` }));
    await accepted(adtEvent('A04', { identifier: cx(doe) }));
    const both = {
      identifier: `${cx(real)}~${cx(national, 'NATION')}`,
      mrg: { 1: `${cx(doe)}~${cx(national, 'NATION')}` },
    };
    await accepted(adtEvent('A40', both));
    expect(await identifiersOf(site.server, real)).toEqual({ current: [real, national], former: [doe] });
  });

  it('given one patient has both identifiers, then the one of MRG-1 is no longer used', async () => {
    const [kept, gone] = [newPatient(), newPatient()];
    await accepted(adtEvent('A04', { identifier: `${cx(gone)}~${cx(kept)}` }));
    const number = await placeOrder(gone);
    await accepted(merge(cx(kept), cx(gone)));
    expect(await identifiersOf(site.server, kept)).toEqual({ current: [kept], former: [gone] });
    expect(await listedAs(number)).toMatchObject([{ patientId: kept, otherIds: [] }]);
  });

  it('given the authority of MRG-1 is named by its universal id alone, then the merge is done and A40 out names the subsumed one', async () => {
    const [real, doe] = [await register('Real^Rita'), newPatient()];
    await accepted(adtEvent('A04', { identifier: `${doe}^^^OLD&1.2.3.4&ISO`, name: 'Doe^Jane' }));
    const number = `O${serial()}`;
    await accepted(orderFor(`${doe}^^^OLD&1.2.3.4&ISO`, { number }));
    await accepted(merge(cx(real), `${doe}^^^&1.2.3.4&ISO`, 'Real^Rita'));
    expect(await identifiersOf(site.server, real)).toEqual({ current: [real], former: [doe] });
    expect(await listedAs(number)).toMatchObject([{ patientId: real, otherIds: [] }]);
    expect(await told(doe)).toEqual(everybody('A40'));
  });
});

describe('several groups in one A40: in order, all or none (HL7 v2.5.1 3.3.40)', () => {
  const group = (survivor: string, subsumed: string, name = PATIENT_NAME) => ({
    identifier: cx(survivor),
    name,
    mrg: { 1: cx(subsumed) },
  });

  it('given two groups, then both are merged and each archive is told of each', async () => {
    const [a, b, c, d] = [await register(), await register(), await register(), await register()];
    await placeOrder(b);
    await placeOrder(d);
    await accepted(adtEvent('A40', [group(a, b), group(c, d)]));
    expect(await identifiersOf(site.server, a)).toEqual({ current: [a], former: [b] });
    expect(await identifiersOf(site.server, c)).toEqual({ current: [c], former: [d] });
    expect(await told(b)).toEqual(everybody('A40'));
    expect(await told(d)).toEqual(everybody('A40'));
  });

  it('given the second group cannot be done, then the first one is not done either and the answer names the second', async () => {
    const [a, b, c] = [await register(), await register(), await register()];
    await placeOrder(b);
    const unknown = adtEvent('A40', [group(a, b), group(c, newPatient())]);
    await refused(unknown, { code: 'AR', error: '204', location: 'MRG^2^1' });
    await refused(adtEvent('A40', [group(a, b), group(c, c)]), { code: 'AR', error: '205', location: 'MRG^2^1' });
    await refused(adtEvent('A40', [group(a, b), group(c, b)]), { code: 'AR', error: '204', location: 'MRG^2^1' });
  });

  it('given a chain in one message, then everything ends at its end', async () => {
    const [a, b, c] = [await register('A^A'), await register('B^B'), await register('C^C')];
    const number = await placeOrder(a);
    await accepted(adtEvent('A40', [group(b, a, 'B^B'), group(c, b, 'C^C')]));
    expect(await identifiersOf(site.server, a)).toEqual({ current: [c], former: [b, a] });
    expect(await listedAs(number)).toMatchObject([{ patientId: c, name: 'C^C' }]);
  });
});

describe('merges after merges', () => {
  it('given A went into B and B goes into C, then every identifier finds C and C has every order', async () => {
    const [a, b, c] = [await register('A^A'), await register('B^B'), await register('C^C')];
    const numbers = [await placeOrder(a), await placeOrder(b), await placeOrder(c)];
    await accepted(merge(cx(b), cx(a), 'B^B'));
    await accepted(merge(cx(c), cx(b), 'C^C'));
    const survivor = await storedPatient(site.server, c);
    expect(survivor.orders).toHaveLength(3);
    for (const value of [a, b]) expect((await storedPatient(site.server, value)).id).toBe(survivor.id);
    for (const number of numbers) expect(await listedAs(number)).toMatchObject([{ patientId: c, name: 'C^C' }]);
    expect(await site.server.store.prisma.patient.count({ where: { mergedIntoId: survivor.id } })).toBe(2);
    expect(await told(a)).toEqual(everybody('A40'));
    expect(await told(b)).toEqual([...everybody('A40'), ...everybody('A40')].sort());
  });

  it('given A went into B, when A40 wants A in C, then AR 204 and nothing is done', async () => {
    const [a, b, c] = [await register(), await register(), await register()];
    await accepted(merge(cx(b), cx(a)));
    await refused(merge(cx(c), cx(a)), { code: 'AR', error: '204', location: 'MRG^1^1' });
  });

  it('given A went into B, when A40 names A as the survivor of X, then AR 204 names PID-3 and nothing is done', async () => {
    const [a, b, x] = [await register('A^A'), await register('B^B'), await register('X^X')];
    await accepted(merge(cx(b), cx(a), 'B^B'));
    await refused(merge(cx(a), cx(x), 'A^A'), { code: 'AR', error: '204', location: 'PID^1^3' });
  });

  it('given A went into B, when A40 wants B in A, then AR 204: a merge is not undone by one the other way', async () => {
    const [a, b] = [await register('A^A'), await register('B^B')];
    const number = await placeOrder(a);
    await accepted(merge(cx(b), cx(a), 'B^B'));
    await refused(merge(cx(a), cx(b), 'A^A'), { code: 'AR', error: '204', location: 'PID^1^3' });
    expect(await listedAs(number)).toMatchObject([{ patientId: b, name: 'B^B' }]);
  });

  it('given the subsumed patient was registered and the survivor is new, then the survivor counts as registered', async () => {
    const [real, doe] = [newPatient(), await register('Doe^Jane')];
    await accepted(merge(cx(real), cx(doe), 'Real^Rita'));
    expect((await storedPatient(site.server, real)).registeredByMessageId).not.toBeNull();
  });
});

import { describe, expect, it } from 'vitest';
import { field } from '../support/messages.ts';
import { cx, everybody, patientSite } from '../support/patient-site.ts';
import { adtEvent, identifiersOf, merge, newPatient, updatesAbout } from '../support/patients.ts';

const site = patientSite();
const { accepted, listedAs, placeOrder, refused, register, told } = site;

describe('A47: another identifier for the same patient (ITI TF-2 3.30)', () => {
  const a47 = (now: string, before: string, version = '2.5.1') =>
    adtEvent('A47', { identifier: now, mrg: { 1: before } }, { version });

  it.each(['2.3.1', '2.5', '2.5.1'])(
    'given a scheduled procedure, when it comes in v%s, then the worklist has the new one, the old one finds him, and the archives get A40',
    async (version) => {
      const [before, now] = [await register(), newPatient()];
      const number = await placeOrder(before);
      await accepted(a47(cx(now), cx(before), version));
      expect(await identifiersOf(site.server, now)).toEqual({ current: [now], former: [before] });
      expect(await listedAs(number)).toMatchObject([{ patientId: now, otherIds: [] }]);
      expect(await told(before)).toEqual(everybody('A40'));
      for (const { raw } of await updatesAbout(site.server, before)) {
        expect(field(raw, 'PID', 3)).toMatch(new RegExp(`^${now}\\^\\^\\^CLINIC`));
        expect(field(raw, 'MRG', 1)).toMatch(new RegExp(`^${before}\\^\\^\\^CLINIC`));
      }
      expect(
        await site.server.store.prisma.patient.count({ where: { identifiers: { some: { value: before } } } }),
      ).toBe(1);
    },
  );

  it('given the new identifier is another patient’s, then AR 205 names PID-3 and nothing is done', async () => {
    const [before, taken] = [await register(), await register()];
    await refused(a47(cx(taken), cx(before)), {
      code: 'AR',
      error: '205',
      location: expect.stringMatching(/^PID\^1\^3/) as string,
    });
  });

  it('given nobody has the old one, then AR 204 names MRG-1', async () => {
    await refused(a47(cx(newPatient()), cx(newPatient())), {
      code: 'AR',
      error: '204',
      location: expect.stringMatching(/^MRG\^1\^1/) as string,
    });
  });

  it('given a patient with identifiers of two authorities, when it comes twice, then the second one is AA and changes nothing', async () => {
    const [before, now, state] = [newPatient(), newPatient(), newPatient()];
    await accepted(adtEvent('A04', { identifier: `${cx(before)}~${cx(state, 'STATE')}` }));
    const number = await placeOrder(before);
    await accepted(a47(cx(now), cx(before)));
    expect(await listedAs(number)).toMatchObject([{ patientId: now, otherIds: [state] }]);
    await accepted(a47(cx(now), cx(before)));
    expect(await listedAs(number)).toMatchObject([{ patientId: now, otherIds: [state] }]);
    expect(await identifiersOf(site.server, now)).toEqual({ current: [now, state], former: [before] });
  });

  it('given it is changed and changed back, then the first one is in use again', async () => {
    const [before, now] = [await register(), newPatient()];
    const number = await placeOrder(before);
    await accepted(a47(cx(now), cx(before)));
    await accepted(a47(cx(before), cx(now)));
    expect(await identifiersOf(site.server, before)).toEqual({ current: [before], former: [now] });
    expect(await listedAs(number)).toMatchObject([{ patientId: before }]);
  });

  it('given the old identifier was merged into another patient, then AR 204 names MRG-1, and that patient keeps his identifier and name', async () => {
    const [real, doe, now] = [await register('Real^Rita'), await register('Doe^Jane'), newPatient()];
    const number = await placeOrder(doe);
    await accepted(merge(cx(real), cx(doe), 'Real^Rita'));
    const late = adtEvent('A47', { identifier: cx(now), name: 'Doe^Jane', mrg: { 1: cx(doe) } }, { version: '2.5.1' });
    await refused(late, { code: 'AR', error: '204', location: expect.stringMatching(/^MRG\^1\^1/) as string });
    expect((await identifiersOf(site.server, real)).current).toEqual([real]);
    expect(await listedAs(number)).toMatchObject([{ patientId: real, name: 'Real^Rita' }]);
  });

  it('given the authority of MRG-1 is named by its universal id alone, then the identifier is replaced', async () => {
    const [before, now] = [newPatient(), newPatient()];
    await accepted(adtEvent('A04', { identifier: `${before}^^^NUM&1.2.3.5&ISO` }));
    await accepted(a47(`${now}^^^NUM&1.2.3.5&ISO`, `${before}^^^&1.2.3.5&ISO`));
    expect(await identifiersOf(site.server, now)).toEqual({ current: [now], former: [before] });
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DatasetInput, tagOf } from '../../src/dicom/dataset.ts';
import { commandField } from '../../src/dicom/status.ts';
import { type DimsePeer, type Said, dimsePeer } from '../support/dimse-peer.ts';
import { completed, discontinued, inProgress, newUid, notification, sopClass } from '../support/mpps.ts';
import { type TestServer, startTestServer } from '../support/server.ts';

let server: TestServer;
let dx: DimsePeer;
beforeAll(async () => {
  server = await startTestServer();
  dx = await dimsePeer(server.ports.dicom);
});
afterAll(async () => {
  dx.end();
  await server.stop();
});

/** RAD-6 of a step that nobody ordered. */
const creation = (change: DatasetInput = {}): DatasetInput => {
  const item = Object.fromEntries(
    ['ReferencedStudySequence', 'AccessionNumber', 'RequestedProcedureID', 'ScheduledProcedureStepID'].map(
      (keyword) => [keyword, null],
    ),
  );
  return inProgress([], { ScheduledStepAttributesSequence: [{ ...item, StudyInstanceUID: newUid() }], ...change });
};

const ends = {
  'N-SET COMPLETED': () => completed([newUid()]),
  'N-SET DISCONTINUED': () => discontinued([newUid()]),
} as const;

const requests = {
  'N-CREATE IN PROGRESS': (uid: string) => dx.create(uid, creation()),
  'N-CREATE COMPLETED': (uid: string) => dx.create(uid, creation({ PerformedProcedureStepStatus: 'COMPLETED' })),
  'N-SET without status': (uid: string) => dx.set(uid, { PerformedProcedureStepDescription: 'x' }),
  'N-SET IN PROGRESS': (uid: string) => dx.set(uid, { PerformedProcedureStepStatus: 'IN PROGRESS' }),
  'N-SET COMPLETED': (uid: string) => dx.set(uid, ends['N-SET COMPLETED']()),
  'N-SET DISCONTINUED': (uid: string) => dx.set(uid, ends['N-SET DISCONTINUED']()),
} as const;

/** An instance that stands where the row says. */
async function instanceIn(state: string): Promise<string> {
  const uid = newUid();
  if (state !== 'unknown') await requests['N-CREATE IN PROGRESS'](uid);
  if (state === 'COMPLETED') await requests['N-SET COMPLETED'](uid);
  if (state === 'DISCONTINUED') await requests['N-SET DISCONTINUED'](uid);
  return uid;
}

const statusOf = async (uid: string): Promise<string> =>
  (await server.store.prisma.performedProcedureStep.findUnique({ where: { sopInstanceUid: uid } }))
    ?.performedProcedureStepStatus ?? 'unknown';

const journalOf = (controlId: string) =>
  server.store.prisma.message.findMany({ where: { controlId }, orderBy: { id: 'asc' } });

describe('the transitions of an MPPS (PS3.4 F.7.2)', () => {
  type Outcome = readonly [status: number, then: string];
  const rows: Readonly<Record<string, readonly Outcome[]>> = {
    unknown: [
      [0x0000, 'IN PROGRESS'],
      [0x0106, 'unknown'],
      [0x0112, 'unknown'],
      [0x0112, 'unknown'],
      [0x0112, 'unknown'],
      [0x0112, 'unknown'],
    ],
    'IN PROGRESS': [
      [0x0111, 'IN PROGRESS'],
      [0x0111, 'IN PROGRESS'],
      [0x0000, 'IN PROGRESS'],
      [0x0000, 'IN PROGRESS'],
      [0x0000, 'COMPLETED'],
      [0x0000, 'DISCONTINUED'],
    ],
    ...Object.fromEntries(
      ['COMPLETED', 'DISCONTINUED'].map((state) => [
        state,
        [0x0111, 0x0111, 0x0110, 0x0110, 0x0110, 0x0110].map((status) => [status, state] as const),
      ]),
    ),
  };
  const names = Object.keys(requests) as (keyof typeof requests)[];
  const cases = Object.entries(rows).flatMap(([state, outcomes]) =>
    names.map((name, index) => [state, name, ...(outcomes[index] ?? [0, ''])] as const),
  );

  it.each(cases)('given %s, when %s, then %i and it is %s', async (state, name, status, then) => {
    const uid = await instanceIn(state);
    const said = await requests[name](uid);
    expect([said.status, await statusOf(uid)]).toEqual([status, then]);
    const late = { errorId: 0xa710, comment: 'Performed Procedure Step Object may no longer be updated' };
    if (status === 0x0110) expect(said).toMatchObject(late);
    if (status === 0x0106) expect(said.attributes).toEqual([tagOf('PerformedProcedureStepStatus')]);
  });
});

describe('checks are made in order, and the first that fails gives the status (PS3.4 F.7.2, PS3.7 C)', () => {
  const wrong = {
    nothing: {},
    noModality: { Modality: undefined },
    emptyModality: { Modality: null },
    completed: { PerformedProcedureStepStatus: 'COMPLETED' },
    badDate: { PerformedProcedureStepStartDate: '20260230' },
  };
  const list = (...keywords: string[]): string[] => keywords.map(tagOf);
  const refused = (said: Said): [number, readonly string[]] => [said.status, said.attributes];

  it('1: a command for another SOP class than that of its context is 0122', async () => {
    const command = { AffectedSOPClassUID: sopClass.instanceAvailabilityNotification, CommandField: 0x140 };
    expect((await dx.request(1, command, creation())).status).toBe(0x0122);
  });

  it.each(['0', '0.0', '0.0.0', '1.2.', '1..2', '1.02', 'MPPS', `1.${'2'.repeat(63)}`])(
    '2: the instance UID %s is 0117, whatever else is wrong',
    async (uid) => {
      const said = await dx.create(uid, creation(wrong.noModality));
      expect([said.status, said.sopInstanceUid]).toEqual([0x0117, undefined]);
    },
  );

  it('2: without an instance UID one is given, which N-SET and N-GET know', async () => {
    const { status, sopInstanceUid } = await dx.create(undefined, creation());
    expect([status, sopInstanceUid]).toEqual([0x0000, expect.stringMatching(/^2\.25\.[1-9]\d+$/)]);
    expect((await dx.set(sopInstanceUid, completed([newUid()]))).status).toBe(0x0000);
    expect((await dx.get(sopInstanceUid)).status).toBe(0x0000);
  });

  it('3: an instance that is known is 0111, before what is missing; and so is the same request again', async () => {
    const uid = newUid();
    const content = creation();
    expect((await dx.create(uid, content)).status).toBe(0x0000);
    expect((await dx.create(uid, content)).status).toBe(0x0111);
    expect((await dx.create(uid, creation(wrong.noModality))).status).toBe(0x0111);
  });

  it('4, 5, 6: missing (0120) comes before empty (0121), the status (0106), other values (0106)', async () => {
    const { noModality, emptyModality, completed: ended, badDate } = wrong;
    const noId = { PerformedProcedureStepID: undefined };
    const asked: [DatasetInput, number, string[]][] = [
      [{ ...noModality, PerformedProcedureStepID: null, ...ended, ...badDate }, 0x0120, list('Modality')],
      [{ ...noModality, ...noId }, 0x0120, list('PerformedProcedureStepID', 'Modality')],
      [{ ...emptyModality, ...ended, ...badDate }, 0x0121, list('Modality')],
      [{ ...ended, ...badDate }, 0x0106, list('PerformedProcedureStepStatus')],
      [badDate, 0x0106, list('PerformedProcedureStepStartDate')],
      [{ ScheduledStepAttributesSequence: [] }, 0x0120, list('ScheduledStepAttributesSequence')],
    ];
    for (const [change, status, attributes] of asked) {
      const uid = newUid();
      expect(refused(await dx.create(uid, creation(change)))).toEqual([status, attributes]);
      expect(await statusOf(uid)).toBe('unknown');
    }
  });

  it('6: a data set that is cut off, or has a VR of another kind, is 0106 and is not kept', async () => {
    const uid = newUid();
    const cut = Buffer.from('0800600088130000435420', 'hex');
    expect(refused(await dx.create(uid, cut))).toEqual([0x0106, ['00080060']]);
    expect(await statusOf(uid)).toBe('unknown');
    expect((await dx.create(uid, Buffer.alloc(0))).status).toBe(0x0120);
  });

  it('7, 8: an N-SET is told that its instance is not there, or has ended, before what it lacks', async () => {
    const empty = { PerformedProcedureStepStatus: 'COMPLETED' };
    expect((await dx.set(newUid(), empty)).status).toBe(0x0112);
    expect((await dx.set(undefined, empty)).status).toBe(0x0112);
    expect((await dx.set(await instanceIn('COMPLETED'), empty)).status).toBe(0x0110);
  });

  it('9: what may not be set, and what was never created, is listed with the warning 0107', async () => {
    const uid = newUid();
    await dx.create(uid, creation({ PerformedProcedureStepDiscontinuationReasonCodeSequence: undefined }));
    const change = { ...discontinued([newUid()]), PatientID: 'OTHER', Modality: 'CT' };
    const said = await dx.set(uid, change);
    const names = ['PatientID', 'Modality', 'PerformedProcedureStepDiscontinuationReasonCodeSequence'];
    expect([said.status, [...said.attributes].sort()]).toEqual([0x0107, list(...names).sort()]);
    expect(await statusOf(uid)).toBe('DISCONTINUED');
  });

  it('9: a status that is none of the three is 0106 and lists it', async () => {
    const said = await dx.set(await instanceIn('IN PROGRESS'), { PerformedProcedureStepStatus: 'DONE' });
    expect(refused(said)).toEqual([0x0106, list('PerformedProcedureStepStatus')]);
  });

  it('10: an end without end is 0121, or 0120 where it was never created, and the step can still be ended', async () => {
    const uid = await instanceIn('IN PROGRESS');
    const ending = ['PerformedProcedureStepEndDate', 'PerformedProcedureStepEndTime'];
    expect(refused(await dx.set(uid, { PerformedProcedureStepStatus: 'COMPLETED' }))).toEqual([
      0x0121,
      list(...ending),
    ]);
    const bare = newUid();
    await dx.create(bare, creation({ PerformedSeriesSequence: undefined, PerformedProcedureStepEndTime: undefined }));
    const missing = [0x0120, list('PerformedProcedureStepEndTime', 'PerformedSeriesSequence')];
    expect(refused(await dx.set(bare, { PerformedProcedureStepStatus: 'COMPLETED' }))).toEqual(missing);
    for (const each of [uid, bare]) expect((await dx.set(each, completed([newUid()]))).status).toBe(0x0000);
  });

  it.each<[string, DatasetInput, string]>([
    ['no series', { PerformedSeriesSequence: [] }, 'ended without a series'],
    [
      'a series that names nothing',
      { PerformedSeriesSequence: [{ SeriesInstanceUID: '2.25.5', ProtocolName: 'P' }] },
      'ended with a series that names no instance',
    ],
  ])('10: an end with %s is taken, and the journal remarks it', async (_, change, remark) => {
    const uid = await instanceIn('IN PROGRESS');
    expect((await dx.set(uid, completed([], change))).status).toBe(0x0000);
    const [, entry] = await journalOf(uid);
    expect(entry).toMatchObject({ answerCode: '0000', outcome: 'ACCEPTED' });
    expect(entry?.remarks).toContain(remark);
  });

  it('an N-CREATE with all of type 1 that leaves out what is of type 2 is 0000, remarked, and can be completed', async () => {
    const uid = newUid();
    const left = [
      'PatientSex',
      'PerformedStationName',
      'PerformedProcedureStepEndDate',
      'PerformedProcedureStepEndTime',
    ];
    const change = Object.fromEntries(left.map((keyword) => [keyword, undefined]));
    expect(await dx.create(uid, creation(change))).toMatchObject({ status: 0x0000, attributes: [] });
    const [entry] = await journalOf(uid);
    expect(entry?.remarks.join()).toContain('(0010,0040), (0040,0242), (0040,0250), (0040,0251)');
    expect(await dx.set(uid, completed([newUid()]))).toMatchObject({ status: 0x0000, attributes: [] });
  });

  it('a notification under something that is no UID is 0117, one about nothing 0120 (PS3.4 R.3)', async () => {
    const command = {
      AffectedSOPClassUID: sopClass.instanceAvailabilityNotification,
      CommandField: commandField.nCreate,
    };
    const content = notification(newUid(), [newUid()]);
    expect((await dx.request(5, { ...command, AffectedSOPInstanceUID: '0.0' }, content)).status).toBe(0x0117);
    expect((await dx.request(5, command, { ...content, ReferencedSeriesSequence: [] })).status).toBe(0x0120);
    expect((await dx.request(5, command, content)).status).toBe(0x0000);
  });

  it('with policy.validation strict, what is left out is 0120, and what was never created 0105', async () => {
    const strict = await startTestServer({ policy: { validation: 'strict' } });
    const peer = await dimsePeer(strict.ports.dicom);
    const item = {
      ...Object.fromEntries(
        ['ReferencedStudySequence', 'AccessionNumber', 'RequestedProcedureID', 'RequestedProcedureDescription'].map(
          (keyword) => [keyword, null],
        ),
      ),
      ScheduledProcedureStepID: null,
      ScheduledProcedureStepDescription: null,
      ScheduledProtocolCodeSequence: null,
      StudyInstanceUID: newUid(),
    };
    const whole = creation({ ScheduledStepAttributesSequence: [item] });
    const uid = newUid();
    expect(refused(await peer.create(uid, { ...whole, PatientSex: undefined }))).toEqual([0x0120, list('PatientSex')]);
    expect(refused(await peer.create(uid, whole))).toEqual([0x0000, []]);
    const comments = 'CommentsOnThePerformedProcedureStep';
    expect(refused(await peer.set(uid, { [comments]: 'x' }))).toEqual([0x0105, list(comments)]);
    expect(refused(await peer.set(uid, completed([newUid()])))).toEqual([0x0000, []]);
    peer.end();
    await strict.stop();
  });
});

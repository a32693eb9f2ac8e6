import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { decodeDataset } from '../../src/dicom/codec.ts';
import { type Dataset, type DatasetInput, dataset, items, text } from '../../src/dicom/dataset.ts';
import { type Log, silentLog } from '../../src/platform/log.ts';
import { freshDatabase } from '../support/database.ts';
import { type ImageManagerDouble, startImageManager } from '../support/image-manager.ts';
import { type Sender, connectSender, orm, serial } from '../support/messages.ts';
import {
  type StepOnWorklist,
  completed,
  inProgress,
  modality,
  newUid,
  notification,
  notify,
  stepsOf,
} from '../support/mpps.ts';
import { type TestServer, type TestServerOptions, startTestServer } from '../support/server.ts';
import { until } from '../support/until.ts';

const quick = { first: '30ms', factor: 2, longest: '120ms' };

interface Site {
  readonly server: TestServer;
  readonly placer: Sender;
  stop(): Promise<void>;
}

async function site(options: TestServerOptions): Promise<Site> {
  const server = await startTestServer({ availability: quick, policy: { relayMpps: false }, ...options });
  const placer = await connectSender(server.ports.hl7);
  const stop = async (): Promise<void> => {
    placer.end();
    await server.stop();
  };
  return { server, placer, stop };
}

const warnings: string[] = [];
const log: Log = { ...silentLog, warn: ({ procedureId }, line) => void warnings.push(`${line} ${procedureId ?? ''}`) };

let im: ImageManagerDouble;
let other: ImageManagerDouble;
let usual: Site;
beforeAll(async () => {
  im = await startImageManager('IM', 'ARCHIVE1');
  other = await startImageManager('IM2', 'ARCHIVE2');
  usual = await site({ peers: [im.entry, other.entry], log });
});
afterEach(async () => {
  im.will(0);
  await im.up();
  await other.up();
});
afterAll(async () => {
  await usual.stop();
  await Promise.all([im.down(), other.down()]);
});

/** A procedure that has been performed. */
interface Performed {
  readonly step: StepOnWorklist;
  readonly images: readonly string[];
  /** What an image manager that has the images gives for them; without `state` it does not say how available they are. */
  rows(images: readonly string[], state?: string): Dataset[];
}

async function ordered({ server, placer }: Site): Promise<StepOnWorklist> {
  const placerOrderNumber = `Q${serial()}`;
  expect((await placer.send(orm([{ placerOrderNumber: `${placerOrderNumber}^HIS` }]))).code).toBe('AA');
  const [step] = await stepsOf(server.store, placerOrderNumber);
  if (!step) throw new Error('the order has no step');
  return step;
}

async function performed(at: Site, images: readonly string[], change?: DatasetInput): Promise<Performed> {
  const step = await ordered(at);
  const device = modality(at.server.ports.dicom);
  const uid = newUid();
  const final = completed(images, change);
  expect(await device.create(uid, inProgress([step]))).toBe(0);
  expect(await device.set(uid, final)).toBe(0);
  const [series] = items(dataset(final), 'PerformedSeriesSequence');
  const where = {
    StudyInstanceUID: step.studyInstanceUid,
    SeriesInstanceUID: series?.['SeriesInstanceUID']?.[0] ?? '',
  };
  const rows: Performed['rows'] = (found, state) =>
    found.map((SOPInstanceUID) =>
      dataset({
        ...where,
        SOPInstanceUID,
        ...(state ? { InstanceAvailability: state, RetrieveAETitle: 'ARCHIVE1' } : {}),
      }),
    );
  return { step, images, rows };
}

interface ShownProcedure {
  readonly availability: string;
  readonly instances: { readonly named: number; readonly available: number };
  readonly transactions: readonly {
    readonly confirmedBy: readonly { kind: string; peer: string; messageId: number }[];
  }[];
}

/** GET /api/procedures/{id}. */
async function shown({ server }: Site, { requestedProcedureId }: StepOnWorklist): Promise<ShownProcedure> {
  const url = `http://127.0.0.1:${server.ports.http}/api/procedures/${requestedProcedureId}`;
  return (await (await fetch(url)).json()) as ShownProcedure;
}

const becomes = (at: Site, { step }: Performed, expected: string): Promise<ShownProcedure> =>
  until(`the images are ${expected}`, async () => {
    const procedure = await shown(at, step);
    const { availability, instances } = procedure;
    return `${availability} ${instances.available}/${instances.named}` === expected ? procedure : undefined;
  });

/** The row that says when it is asked next. */
const asking = ({ server }: Site, { step: { requestedProcedureId } }: Performed) =>
  server.store.prisma.availabilityQuery.findFirst({ where: { procedure: { requestedProcedureId } } });

const askedOf = (manager: ImageManagerDouble, { step }: Performed): Dataset[] =>
  manager.received
    .map((request) => request.dataset)
    .filter((one) => text(one, 'StudyInstanceUID') === step.studyInstanceUid);

describe('RAD-11 Images Availability Query (RAD TF-2 4.11, PS3.4 C.4.1)', () => {
  it('given images that come late, then each image manager is asked until they are there, and no longer', async () => {
    const procedure = await performed(usual, [newUid(), newUid()]);
    await until('it was asked three times', () => askedOf(im, procedure).length >= 3);
    expect(await shown(usual, procedure.step)).toMatchObject({
      availability: 'unknown',
      instances: { named: 2, available: 0 },
    });
    expect(askedOf(other, procedure).length).toBeGreaterThan(0);
    const rows = procedure.rows(procedure.images, 'ONLINE');
    expect(askedOf(im, procedure)[0]).toEqual(
      dataset({
        QueryRetrieveLevel: 'IMAGE',
        StudyInstanceUID: procedure.step.studyInstanceUid,
        SeriesInstanceUID: rows[0]?.['SeriesInstanceUID']?.[0],
        SOPInstanceUID: null,
        InstanceAvailability: null,
        RetrieveAETitle: null,
      }),
    );
    im.holds.push(...rows);
    const { transactions } = await becomes(usual, procedure, 'available 2/2');
    const confirmedBy = [transactions[5], transactions[7]].map((one) => one?.confirmedBy);
    expect(confirmedBy).toMatchObject([[{ kind: 'query', peer: 'IM' }], [{ kind: 'query', peer: 'IM' }]]);
    expect(await asking(usual, procedure)).toBeNull();
    const message = await usual.server.store.prisma.message.findUniqueOrThrow({
      where: { id: confirmedBy[0]?.[0]?.messageId ?? 0 },
      include: { history: true },
    });
    expect(message).toMatchObject({
      direction: 'OUT',
      protocol: 'DICOM',
      transaction: 'RAD-11',
      messageType: 'C-FIND',
      sendingApplication: 'SWF_OF',
      peer: 'IM',
      outcome: 'ACCEPTED',
      answerCode: '0000',
      history: [
        { event: 'availabilityReported', fromState: 'availability.unknown', toState: 'availability.available' },
      ],
    });
    expect(decodeDataset(message.raw, message.transferSyntaxUid ?? '')).toEqual(askedOf(im, procedure)[0]);
    // what told nothing is in the journal once for each image manager
    const told = await usual.server.store.prisma.message.count({ where: { transaction: 'RAD-11', raw: message.raw } });
    expect(told).toBe(3);
  });

  it('given they come in parts, then they are partial, and available only when all are counted (V-22)', async () => {
    const images = [newUid(), newUid(), newUid(), newUid(), newUid()];
    const procedure = await performed(usual, images);
    const [online, nearline, silent, offline, gone] = images.map((uid) => [uid]) as [
      string[],
      string[],
      string[],
      string[],
      string[],
    ];
    im.holds.push(
      ...procedure.rows(online, 'ONLINE'),
      ...procedure.rows(nearline, 'NEARLINE'),
      ...procedure.rows(silent),
      ...procedure.rows(offline, 'OFFLINE'),
      ...procedure.rows(gone, 'UNAVAILABLE'),
    );
    await becomes(usual, procedure, 'partial 3/5');
    expect(await asking(usual, procedure)).not.toBeNull();
    // another archive has the rest; that the first one has not takes nothing back
    other.holds.push(...procedure.rows(offline), ...procedure.rows(gone, 'ONLINE'));
    await becomes(usual, procedure, 'available 5/5');
    expect(await asking(usual, procedure)).toBeNull();
  });

  it('given two series, then each is asked for by itself', async () => {
    const [first, second] = [completed([newUid()]), completed([newUid()])].map(
      (one) => dataset(one)['PerformedSeriesSequence'] ?? [],
    );
    const procedure = await performed(usual, [newUid()], {
      PerformedSeriesSequence: [...(first ?? []), ...(second ?? [])] as Dataset[],
    });
    const wanted = [...(first ?? []), ...(second ?? [])].map((one) => text(one as Dataset, 'SeriesInstanceUID')).sort();
    const asked = await until('both were asked for', () => {
      const found = askedOf(im, procedure).map((one) => text(one, 'SeriesInstanceUID'));
      return found.length >= 2 ? found.slice(0, 2) : undefined;
    });
    expect(asked).toEqual(wanted);
  });

  it('given a notification comes meanwhile (RAD-49), then nobody is asked any more', async () => {
    const procedure = await performed(usual, [newUid()]);
    await until('it was asked', () => askedOf(im, procedure).length > 0);
    await notify(usual.server.ports.dicom, notification(procedure.step.studyInstanceUid, procedure.images));
    expect(await asking(usual, procedure)).toBeNull();
    const { transactions } = await becomes(usual, procedure, 'available 1/1');
    expect(transactions[7]?.confirmedBy).toMatchObject([{ kind: 'notification', peer: 'ARCHIVE' }]);
  });

  it('given the images are known when the step ends, or it names none, then nobody is asked', async () => {
    const [step, image, uid] = [await ordered(usual), newUid(), newUid()];
    const device = modality(usual.server.ports.dicom);
    await device.create(uid, inProgress([step]));
    await notify(usual.server.ports.dicom, notification(step.studyInstanceUid, [image]));
    await device.set(uid, completed([image]));
    const known = { step, images: [image], rows: () => [] };
    expect(await asking(usual, known)).toBeNull();
    expect(await asking(usual, await performed(usual, []))).toBeNull();
  });

  it('given a query told of images before the step that names them ended, then that is what confirms it (RAD-11)', async () => {
    const [first, second] = [await performed(usual, [newUid()]), await ordered(usual)];
    im.holds.push(...first.rows(first.images, 'ONLINE'));
    await becomes(usual, first, 'available 1/1');
    const [device, uid] = [modality(usual.server.ports.dicom), newUid()];
    await device.create(uid, inProgress([second]));
    await device.set(uid, completed(first.images));
    const { transactions } = await shown(usual, second);
    expect(transactions[7]?.confirmedBy).toMatchObject([{ kind: 'query', peer: 'IM' }]);
  });

  it('given it cannot carry out the query (A700), then it is asked again later, and the journal has the refusal', async () => {
    for (const manager of [im, other]) manager.will(0xa700);
    const procedure = await performed(usual, [newUid()]);
    await until('it was asked twice', () => askedOf(im, procedure).length >= 2);
    const { prisma } = usual.server.store;
    const refused = await prisma.message.findMany({ where: { transaction: 'RAD-11', outcome: 'REFUSED' } });
    const about = refused.filter(({ raw }) => Buffer.from(raw).includes(procedure.step.studyInstanceUid));
    expect(about.map(({ peer, answerCode }) => `${peer} ${answerCode}`).sort()).toEqual(['IM A700', 'IM2 A700']);
    for (const manager of [im, other]) manager.will(0);
    im.holds.push(...procedure.rows(procedure.images));
    await becomes(usual, procedure, 'available 1/1');
  });

  it('given nobody answers, then it is put off and does not count as asked, and a restart forgets nothing', async () => {
    const database = await freshDatabase();
    await im.down();
    const alone = await site({ peers: [im.entry], database, log });
    const procedure = await performed(alone, [newUid()]);
    const before = warnings.length;
    const first = await asking(alone, procedure);
    await until('it was put off', async () => {
      const row = await asking(alone, procedure);
      return row && first && row.nextAt > first.nextAt;
    });
    expect(await asking(alone, procedure)).toMatchObject({ attempts: 0 });
    // a peer that is away is told of three times in a row, then now and again
    await until('it failed often', () => warnings.length >= before + 3);
    await alone.stop();
    im.holds.push(...procedure.rows(procedure.images));
    await im.up();
    const again = await site({ peers: [im.entry], database });
    await becomes(again, procedure, 'available 1/1');
    await again.stop();
    await database.drop();
  });

  it('given they are not there for as long as the site allows, then a person is told once, and the asking goes on', async () => {
    const timers = { imagesNotAvailable: { after: '100ms' } };
    const strict = await site({ peers: [im.entry], timers, log });
    const procedure = await performed(strict, [newUid(), newUid()]);
    im.holds.push(...procedure.rows(procedure.images.slice(0, 1)));
    const { prisma } = strict.server.store;
    const timer = () =>
      prisma.timer.findFirst({ where: { procedure: { requestedProcedureId: procedure.step.requestedProcedureId } } });
    await until('a person was told', async () => (await timer())?.firedAt);
    const attempts = (await asking(strict, procedure))?.attempts ?? 0;
    await until(
      'it was asked twice more',
      async () => ((await asking(strict, procedure))?.attempts ?? 0) > attempts + 1,
    );
    const { requestedProcedureId } = procedure.step;
    expect(warnings.filter((line) => line === `alarm: images are overdue ${requestedProcedureId}`)).toHaveLength(1);
    const history = await prisma.history.findMany({
      where: { procedure: { requestedProcedureId }, event: 'imagesNotAvailable' },
    });
    expect(history).toMatchObject([
      {
        fromState: 'completed',
        toState: 'completed',
        messageId: null,
        causedBy: 'timer',
        // Whether it had been asked for already by then.
        remark: expect.stringMatching(/^[01] of 2 instances are known to be available; waited for 100ms$/) as string,
      },
    ]);
    im.holds.push(...procedure.rows(procedure.images.slice(1)));
    await becomes(strict, procedure, 'available 2/2');
    expect(await timer()).toMatchObject({ effect: 'alarm', settledAt: expect.any(Date) as Date });
    await strict.stop();
  });

  it('given they never come, then the asking ends after as long as the site says, and the history says so', async () => {
    const limited = await site({ peers: [im.entry], availability: { ...quick, giveUpAfter: '200ms' }, log });
    const procedure = await performed(limited, [newUid()]);
    await until('it was given up', async () => (await asking(limited, procedure)) === null);
    const { requestedProcedureId } = procedure.step;
    const { prisma } = limited.server.store;
    const where = { procedure: { requestedProcedureId }, event: 'imagesGivenUp' };
    expect(await prisma.history.findMany({ where })).toMatchObject([
      { fromState: 'completed', toState: 'completed', remark: '0 of 1 instances are known to be available' },
    ]);
    expect(warnings).toContain(`alarm: images are asked for no longer ${requestedProcedureId}`);
    // a notification still makes them available
    await notify(limited.server.ports.dicom, notification(procedure.step.studyInstanceUid, procedure.images));
    await becomes(limited, procedure, 'available 1/1');
    await limited.stop();
  });

  it('given no image manager has a DICOM address, then nothing is put down to be asked', async () => {
    const hl7 = { host: '127.0.0.1', port: 1, application: 'A', facility: 'B', version: '2.3.1' } as const;
    const silent = await site({ peers: [{ name: 'IM', actor: 'image-manager', hl7 }] });
    expect(await asking(silent, await performed(silent, [newUid()]))).toBeNull();
    await silent.stop();
  });
});

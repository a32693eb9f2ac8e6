import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createArchive } from '../../actors/archive.ts';
import { createBehaviours } from '../../actors/behaviours.ts';
import { listenForDicom } from '../../actors/image-manager.ts';
import { createMailbox } from '../../actors/mailbox.ts';
import { createDicomClient } from '../../src/dicom/client.ts';
import { type DatasetInput, dataset, text } from '../../src/dicom/dataset.ts';
import { sopClass } from '../../src/dicom/status.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { randomIds } from '../../src/platform/ids.ts';
import { freePorts } from './site.ts';

const mailbox = createMailbox();
const archive = createArchive();
let port: number;
let listening: Awaited<ReturnType<typeof listenForDicom>>;
beforeAll(async () => {
  port = (await freePorts(1))[0] ?? 0;
  const deps = {
    mailbox,
    archive,
    behaviours: createBehaviours(),
    clock: systemClock,
    ids: randomIds(),
    timeZone: 'UTC',
  };
  listening = await listenForDicom('IM', { host: '127.0.0.1', port }, deps);
});
afterAll(() => listening.stop());

const stored = (series: string, instances: readonly string[], state = 'ONLINE') => ({
  SeriesInstanceUID: series,
  ReferencedSOPSequence: instances.map((uid) => ({
    ReferencedSOPClassUID: '1.2.840.10008.5.1.4.1.1.4',
    ReferencedSOPInstanceUID: uid,
    InstanceAvailability: state,
    RetrieveAETitle: 'PACS',
  })),
});

async function find(keys: DatasetInput): Promise<(string | undefined)[]> {
  const address = { host: '127.0.0.1', port, callingAeTitle: 'SWF_OF', calledAeTitle: 'PACS', timeoutMs: 5000 };
  const result = await createDicomClient(address).find(
    { SOPInstanceUID: null, ...keys },
    { sopClassUid: sopClass.studyRootFind },
  );
  expect(result.status).toBe(0);
  return result.datasets.map((match) => text(match, 'SOPInstanceUID'));
}

describe('the simulated Image Manager asked for images (RAD-11)', () => {
  it('finds nothing until a scenario has stored something, then what is in the series, and keeps each query', async () => {
    const keys = { QueryRetrieveLevel: 'IMAGE', StudyInstanceUID: '1.2', SeriesInstanceUID: '1.2.1' };
    expect(await find(keys)).toEqual([]);
    const ReferencedSeriesSequence = [stored('1.2.1', ['1.2.1.1', '1.2.1.2']), stored('1.2.2', ['1.2.2.1'])];
    archive.store('IM', dataset({ StudyInstanceUID: '1.2', ReferencedSeriesSequence }));
    expect(await find(keys)).toEqual(['1.2.1.1', '1.2.1.2']);
    expect(await find({ ...keys, SeriesInstanceUID: null })).toHaveLength(3);
    expect(await find({ ...keys, StudyInstanceUID: '1.3' })).toEqual([]);
    expect(mailbox.backlog().map(({ actor, type }) => `${actor} ${type}`)).toEqual(Array(4).fill('IM C-FIND'));
  });

  it('gives the attributes that are asked for, and is no one else', () => {
    const [match] = archive.find(
      'IM',
      dataset({ QueryRetrieveLevel: 'IMAGE', SOPInstanceUID: '1.2.2.1', InstanceAvailability: null }),
    );
    expect(match).toEqual(
      dataset({ QueryRetrieveLevel: 'IMAGE', SOPInstanceUID: '1.2.2.1', InstanceAvailability: 'ONLINE' }),
    );
    expect(archive.find('IM_B', dataset({ QueryRetrieveLevel: 'IMAGE' }))).toEqual([]);
    expect(archive.find('IM', dataset({ QueryRetrieveLevel: 'STUDY', StudyInstanceUID: '1.2' }))).toEqual([]);
  });
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EXPLICIT_VR_LITTLE_ENDIAN, decodeDataset, encodeDataset } from '../../src/dicom/codec.ts';
import { type Dataset, type DatasetInput, dataset, items, texts } from '../../src/dicom/dataset.ts';
import { matchesWorklist } from '../../src/dicom/matching.ts';
import { answerFor } from '../../src/dicom/worklist-answer.ts';
import { checkWorklistIdentifier } from '../../src/dicom/worklist-keys.ts';
import { meantBy, readableBy } from '../../src/dicom/worklist-quirks.ts';
import { type WorklistQuirk, worklistQuirks } from '../../src/platform/worklist-quirks.ts';
import { bare, full } from './known-step.ts';

interface Sets {
  readonly station?: string[];
  readonly query?: string[];
}

describe('the character set of an answer (PS3.4 C.4.1.1.3.2): of the station, else of the query, else UTF-8', () => {
  const item = (text: string): Dataset => dataset({ PatientName: text, PatientID: 'P1' });
  it.each<[what: string, text: string, sets: Sets, terms: string[]]>([
    ['the station has one and the query none', 'Müller', { station: ['ISO_IR 100'] }, ['ISO_IR 100']],
    [
      'the station has one and the query another',
      'Müller',
      { station: ['ISO_IR 101'], query: ['ISO_IR 192'] },
      ['ISO_IR 101'],
    ],
    ['the station has none and the query one', 'Müller', { query: ['ISO_IR 100'] }, ['ISO_IR 100']],
    ['neither has one', 'Müller', {}, ['ISO_IR 192']],
    [
      'that of the station cannot carry it',
      'Žižka',
      { station: ['ISO_IR 100'], query: ['ISO_IR 101'] },
      ['ISO_IR 192'],
    ],
    ['that of the query cannot carry it', '山田', { query: ['ISO_IR 100'] }, ['ISO_IR 192']],
    ['that of the query is not supported', 'Müller', { query: ['ISO_IR 999'] }, ['ISO_IR 192']],
    ['several of the query', 'Yamada=山田', { query: ['', 'ISO 2022 IR 87'] }, ['', 'ISO 2022 IR 87']],
    [
      'several of the station',
      'Yamada=山田',
      { station: ['', 'ISO 2022 IR 87'], query: ['ISO_IR 100'] },
      ['', 'ISO 2022 IR 87'],
    ],
    ['several, the second for Korean', 'Hong=洪=홍', { query: ['', 'ISO 2022 IR 149'] }, ['', 'ISO 2022 IR 149']],
    ['several that cannot carry it', 'Müller', { query: ['', 'ISO 2022 IR 87'] }, ['ISO_IR 192']],
  ])('%s', (_what, text, { station, query }, terms) => {
    const identifier = dataset({ PatientName: null, ...(query ? { SpecificCharacterSet: query } : {}) });
    const answer = answerFor(item(text), identifier, station);
    expect(answer['SpecificCharacterSet']).toEqual(terms);
    const bytes = encodeDataset(answer, EXPLICIT_VR_LITTLE_ENDIAN);
    expect(texts(decodeDataset(bytes, EXPLICIT_VR_LITTLE_ENDIAN), 'PatientName')).toEqual([text]);
  });

  it('ASCII needs none, and keeps the one that was asked in', () => {
    expect(answerFor(item('ADAMS'), dataset({ PatientName: null }))).toEqual({ PatientName: ['ADAMS'] });
    const asked = dataset({ PatientName: null, SpecificCharacterSet: 'ISO_IR 100' });
    expect(answerFor(item('ADAMS'), asked)['SpecificCharacterSet']).toEqual(['ISO_IR 100']);
  });
});

describe('quirks of devices (stations[].quirks)', () => {
  const meant = (quirk: WorklistQuirk, keys: DatasetInput): boolean =>
    matchesWorklist(full, meantBy(dataset(keys), new Set([quirk])));
  const step = (keys: DatasetInput): DatasetInput => ({ ScheduledProcedureStepSequence: [keys] });

  it.each<[WorklistQuirk, DatasetInput]>([
    ['ignore-station', step({ ScheduledStationAETitle: 'OTHER' })],
    ['ignore-modality', step({ Modality: 'MR' })],
    ['ignore-date', step({ ScheduledProcedureStepStartDate: '20200101', ScheduledProcedureStepStartTime: '01-02' })],
    ['any-step-status', step({ ScheduledProcedureStepStatus: 'SCHEDULED' })],
    ['name-prefix', { PatientName: 'Aok' }],
    ['name-prefix', { PatientName: 'Ao=青' }],
  ])('%s lets %j match, which nobody else finds', (quirk, keys) => {
    expect(matchesWorklist(full, dataset(keys))).toBe(false);
    expect(meant(quirk, keys)).toBe(true);
  });

  it('every other key still counts', () => {
    expect(meant('ignore-date', step({ ScheduledProcedureStepStartDate: '20200101', Modality: 'MR' }))).toBe(false);
    expect(meant('name-prefix', { PatientName: 'Mor' })).toBe(false);
    expect(meant('name-prefix', { PatientName: '', PatientID: 'P1' })).toBe(true);
    expect(meant('name-prefix', { PatientName: 'A*k' })).toBe(false);
  });

  it('two items are refused however they are meant', () => {
    const two = meantBy(dataset({ ScheduledProcedureStepSequence: [{}, {}] }), new Set(['ignore-date']));
    expect(checkWorklistIdentifier(two)?.status).toBe(0xa900);
  });

  const answer = answerFor(
    bare,
    dataset({
      PatientID: null,
      PatientSex: null,
      ReferencedPatientSequence: [],
      ...step({ ScheduledStationAETitle: null, PreMedication: null }),
    }),
  );

  it('drop-empty leaves out what has no value, in items too', () => {
    expect(readableBy(answer, new Set(['drop-empty']), { aeTitle: 'CT2', keys: {} })).toEqual({
      PatientID: ['N1'],
      ScheduledProcedureStepSequence: [{ ScheduledStationAETitle: ['CT1', 'CT2'] }],
    });
    expect(readableBy(answer, new Set(), { aeTitle: 'CT2', keys: {} })).toBe(answer);
  });

  it.each([
    ['CT2', null, 'CT2'],
    ['MR1', null, 'CT1'],
    ['MR1', 'CT2', 'CT2'],
    ['CT2', 'CT*', 'CT2'],
    ['CT1', 'CT2', 'CT2'],
    ['MR1', ['CT9', 'CT2'], 'CT2'],
  ])('single-station shows %s, who asks for %j, the station %s', (aeTitle, asked, station) => {
    const keys = dataset(step({ ScheduledStationAETitle: asked }));
    const [shown = {}] = items(
      readableBy(answer, new Set(['single-station']), { aeTitle, keys }),
      'ScheduledProcedureStepSequence',
    );
    expect(shown['ScheduledStationAETitle']).toEqual([station]);
    expect(shown['PreMedication']).toEqual([]);
  });

  it('are documented, each with the device it is for', () => {
    const page = readFileSync(join(import.meta.dirname, '../../docs/conformance/dicom.md'), 'utf8');
    const cells = page.split('\n').map((line) => line.split('|').map((cell) => cell.trim()));
    const documented = cells.flatMap(([, quirk = '', sentence]) => {
      const named = /^`([a-z0-9-]+)`$/.exec(quirk)?.[1];
      return named !== undefined && named in worklistQuirks ? [[named, sentence]] : [];
    });
    expect(documented).toEqual(Object.entries(worklistQuirks));
  });
});

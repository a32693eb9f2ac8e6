import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { completed, inProgress, modality, newUid, stepsOf } from '../support/mpps.ts';
import type { PeerEntry, TestServer } from '../support/server.ts';
import { startTestServer } from '../support/server.ts';
import { until } from '../support/until.ts';
import { describeWith } from './describe-with.ts';
import { type Companion, companion, installed, output, pythonWith, scratch, script } from './programs.ts';

const python = pythonWith('hl7', 'hl7.mllp');

/** A message as python3-hl7 takes it apart. */
interface Parsed {
  readonly raw: string;
  readonly again: string;
  /** Fields by number, as HL7 counts them; 0 is the name. */
  readonly segments: readonly (readonly string[])[];
}

/** One field of the nth segment of that name: `OBR-4.2`, or the whole of it: `OBR-4`. */
function value(message: Pick<Parsed, 'segments'> | undefined, place: string, nth = 1): string {
  const [, name = '', field = '', component] = /^(\w{3})-(\d+)(?:\.(\d+))?$/.exec(place) ?? [];
  const segment = message?.segments.filter((one) => one[0] === name)[nth - 1];
  const whole = segment?.[Number(field)] ?? '';
  return component === undefined ? whole : (whole.split('^')[Number(component) - 1] ?? '');
}

interface Peer {
  readonly entry: PeerEntry;
  readonly process: Companion;
  /** Waits for the first message that is of this kind: ORC-1 and ORC-5, as `NW/SC`. */
  received(order: string, placerOrderNumber: string): Promise<Parsed>;
}

/** A peer that is python3-hl7 and nothing else: it listens, parses and acknowledges. */
async function startPythonPeer(entry: Omit<PeerEntry, 'hl7'>, hl7: object): Promise<Peer> {
  const process = companion(python ?? '', [script('hl7_peer.py')]);
  const first = await until('the peer listens', () => process.lines[0], 20_000);
  const { port } = JSON.parse(first) as { port: number };
  const address = { host: '127.0.0.1', port, facility: 'RADIOLOGY', application: 'ARCHIVE', version: '2.3.1' as const };
  const messages = (): Parsed[] => process.lines.slice(1).map((line) => JSON.parse(line) as Parsed);
  return {
    entry: { ...entry, hl7: { ...address, ...hl7 } },
    process,
    received: (order, placerOrderNumber) =>
      until(`${order} for ${placerOrderNumber} at ${entry.name}`, () =>
        messages().find(
          (message) =>
            `${value(message, 'ORC-1')}/${value(message, 'ORC-5')}` === order &&
            value(message, 'ORC-2.1') === placerOrderNumber,
        ),
      ),
  };
}

const patient = 'PID|||660412^^^KIRUNA||Aalto^Sanna^M||19660412|F|||Strandgatan 3^^Kiruna^^98131|||||||660412-7';
const visit = 'PV1||O||||||7305^LUND^EDVIN^^^DR|||||||||||V660412^^^KIRUNA';

/** RAD-1 as a hospital's registration sends it: MSH-7 is empty and there is no MSH-9.3. */
const registration = [
  'MSH|^~\\&|KADT|KIRUNA|SWF_OF|RADIOLOGY|||ADT^A04|KA1|P|2.3.1',
  'EVN||20300114081500',
  patient,
  visit,
];

/** RAD-2 with every field that an order of SWF carries (RAD TF-2 4.2.4.1). */
const order = [
  'MSH|^~\\&|KOP|KIRUNA|SWF_OF|RADIOLOGY|||ORM^O01|KO1|P|2.3.1',
  patient,
  visit,
  'ORC|NW|K7001^KOP|||||1^once^^203001150900^^S||20300114082000|^HOLM^INGE||7301^ORDERER^OLE^^^DR||(0980)555-01|20300114082000||44-1^Ward four^KLOC',
  'OBR|1|K7001^KOP||SPINE^Spine with contrast^TESTPLAN|||||||||pacemaker||Back^^^^L|7301^ORDERER^OLE^^^DR|||||||||||1^once^^203001150900^^S|||WALK|^Pain when lying||||||||||A',
];

const text = (lines: readonly string[]): string => lines.map((line) => `${line}\r`).join('');

const programs = { mllp_send: installed('mllp_send', '--version'), 'python3-hl7': python !== undefined };

describeWith('RAD-1 and RAD-2 sent by mllp_send, RAD-4 and RAD-3 received by python3-hl7', programs, () => {
  const folder = scratch();
  let server: TestServer;
  let im: Peer;
  let imB: Peer;
  let op: Peer;
  let acks: string;

  async function deliver(lines: readonly string[]): Promise<string> {
    const file = join(folder.path, 'message.hl7');
    writeFileSync(file, text(lines));
    return output('mllp_send', ['--loose', '-p', String(server.ports.hl7), '-f', file, '127.0.0.1']);
  }
  const read = async (frames: string): Promise<(Pick<Parsed, 'segments'> & { time: string | null })[]> =>
    (await output(python ?? '', [script('hl7_read.py')], frames.replaceAll('\x1c\r\n', '\x1c\r')))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Pick<Parsed, 'segments'> & { time: string | null });

  beforeAll(async () => {
    op = await startPythonPeer({ name: 'OP', actor: 'order-placer' }, { application: 'KOP', facility: 'KIRUNA' });
    im = await startPythonPeer({ name: 'IM', actor: 'image-manager' }, {});
    imB = await startPythonPeer(
      { name: 'IM_B', actor: 'image-manager' },
      { application: 'ARCHIVE_B', version: '2.5.1' },
    );
    server = await startTestServer({ peers: [op.entry, im.entry, imB.entry] });
    acks = (await deliver(registration)) + (await deliver(order));
  });
  afterAll(async () => {
    await server.stop();
    await Promise.all([op, im, imB].map((peer) => peer.process.stop()));
    folder.remove();
  });

  it('given an ADT^A04 and an ORM^O01, when mllp_send delivers them, then python3-hl7 reads AA for each (HL7 v2.5.1 2.9.2.1)', async () => {
    const answers = await read(acks);
    expect(answers.map((answer) => [value(answer, 'MSA-1'), value(answer, 'MSA-2')])).toEqual([
      ['AA', 'KA1'],
      ['AA', 'KO1'],
    ]);
    const [first] = answers;
    expect(value(first, 'MSH-9')).toBe('ACK^A04^ACK');
    expect(['MSH-3', 'MSH-4', 'MSH-5', 'MSH-6'].map((place) => value(first, place))).toEqual([
      'SWF_OF',
      'RADIOLOGY',
      'KADT',
      'KIRUNA',
    ]);
    expect(first?.time).not.toBeNull();
  });

  it('given a message that is refused, when mllp_send delivers it, then python3-hl7 reads the error and its place (HL7 v2.5.1 2.9.2.2)', async () => {
    const noPatient = order.filter((line) => !line.startsWith('PID'));
    const [unknown] = await read(await deliver(['MSH|^~\\&|KOP|KIRUNA|SWF_OF|RADIOLOGY|||ZZZ^Z01|KO2|P|2.5.1']));
    expect([value(unknown, 'MSA-1'), value(unknown, 'ERR-3.1'), value(unknown, 'ERR-4')]).toEqual(['AR', '200', 'E']);
    const [sequence] = await read(await deliver([...noPatient].map((line) => line.replace('|KO1|', '|KO3|'))));
    expect(value(sequence, 'MSA-1')).toBe('AE');
    expect(['100', '101']).toContain(value(sequence, 'ERR-1.4'));
  });

  describe('RAD-4 in HL7 v2.3.1', () => {
    it('given the order, when it is scheduled, then the header names both ends and the identifiers are within their lengths (RAD TF-2 table 4.4-3)', async () => {
      const message = await im.received('NW/SC', 'K7001');
      const header = ['MSH-1', 'MSH-2', 'MSH-3', 'MSH-4', 'MSH-5', 'MSH-6', 'MSH-9', 'MSH-11', 'MSH-12'];
      expect(header.map((place) => value(message, place))).toEqual([
        '|',
        '^~\\&',
        'SWF_OF',
        'RADIOLOGY',
        'ARCHIVE',
        'RADIOLOGY',
        'ORM^O01',
        'P',
        '2.3.1',
      ]);
      const longest = { 'MSH-10': 20, 'ORC-3': 22, 'OBR-3': 22, 'OBR-18': 16, 'OBR-19': 20, 'OBR-20': 20 };
      for (const [place, length] of Object.entries(longest)) {
        expect(value(message, place), place).not.toBe('');
        expect(value(message, place).length, place).toBeLessThanOrEqual(length);
      }
    });

    it('given the order, when it is scheduled, then patient, visit and order are as the placer sent them (RAD TF-2 4.4.4.1)', async () => {
      const message = await im.received('NW/SC', 'K7001');
      const sent = {
        'PID-3': '660412^^^KIRUNA',
        'PID-5': 'Aalto^Sanna^M',
        'PID-7': '19660412',
        'PID-8': 'F',
        'PID-18': '660412-7',
        'PV1-2': 'O',
        'PV1-8': '7305^LUND^EDVIN^^^DR',
        'PV1-19': 'V660412^^^KIRUNA',
        'ORC-1': 'NW',
        'ORC-2': 'K7001^KOP',
        'ORC-5': 'SC',
        'ORC-12': '7301^ORDERER^OLE^^^DR',
        'OBR-2': 'K7001^KOP',
        'OBR-13': 'pacemaker',
        'OBR-16': '7301^ORDERER^OLE^^^DR',
        'OBR-30': 'WALK',
      };
      expect(Object.fromEntries(Object.keys(sent).map((place) => [place, value(message, place)]))).toEqual(sent);
      expect(value(message, 'OBR-3')).toBe(value(message, 'ORC-3'));
    });

    it('given a procedure of two steps, when it is scheduled, then each has its ORC and OBR with start, protocol code and modality, and one ZDS ends the message (RAD TF-2 table 4.4-6)', async () => {
      const message = await im.received('NW/SC', 'K7001');
      const [step1, step2] = await stepsOf(server.store, 'K7001');
      const both = (place: string): string[] => [value(message, place, 1), value(message, place, 2)];
      expect(both('ORC-7.4')).toEqual(['20300115090000', '20300115093000']);
      expect(both('OBR-27.4')).toEqual(both('ORC-7.4'));
      expect(both('OBR-4')).toEqual([
        'SPINE^Spine with contrast^TESTPLAN^SPN^Protocol SPN^TESTPLAN',
        'SPINE^Spine with contrast^TESTPLAN^SPC^Protocol SPC^TESTPLAN',
      ]);
      expect(both('OBR-24')).toEqual(['MR', 'MR']);
      expect(both('OBR-18')).toEqual([step1?.accessionNumber, step1?.accessionNumber]);
      expect(both('OBR-19')).toEqual([step1?.requestedProcedureId, step1?.requestedProcedureId]);
      expect(both('OBR-20')).toEqual([step1?.scheduledProcedureStepId, step2?.scheduledProcedureStepId]);
      expect(value(message, 'ZDS-1')).toMatch(new RegExp(`^${step1?.studyInstanceUid}\\^[^^]*\\^Application\\^DICOM$`));
      expect(message.segments.map(([name]) => name)).toEqual(['MSH', 'PID', 'PV1', 'ORC', 'OBR', 'ORC', 'OBR', 'ZDS']);
    });
  });

  it('given the same order, when RAD-4 goes to a peer of HL7 v2.5.1, then OMI^O23 has one order group with an IPC for each step (RAD TF-2 4.4, SWF.b)', async () => {
    const message = await imB.received('NW/SC', 'K7001');
    const steps = await stepsOf(server.store, 'K7001');
    const [step1] = steps;
    expect(message.segments.map(([name]) => name)).toEqual(['MSH', 'PID', 'PV1', 'ORC', 'TQ1', 'OBR', 'IPC', 'IPC']);
    expect(value(message, 'MSH-9')).toBe('OMI^O23^OMI_O23');
    expect(value(message, 'TQ1-7')).toBe('20300115090000');
    expect(value(message, 'OBR-4')).toBe('SPINE^Spine with contrast^TESTPLAN');
    expect([value(message, 'OBR-27'), value(message, 'ORC-7')]).toEqual(['', '']);
    steps.forEach((step, index) => {
      const places = ['IPC-1.1', 'IPC-2.1', 'IPC-3', 'IPC-4.1', 'IPC-5.1', 'IPC-6.1', 'IPC-9'];
      expect(places.map((place) => value(message, place, index + 1))).toEqual([
        step1?.accessionNumber,
        step1?.requestedProcedureId,
        step1?.studyInstanceUid,
        step.scheduledProcedureStepId,
        'MR',
        ['SPN', 'SPC'][index],
        'MR1',
      ]);
    });
  });

  it('given the steps are performed, when the order placer is told, then RAD-3 names both order numbers and the status IP, then CM (RAD TF-2 4.3)', async () => {
    const steps = await stepsOf(server.store, 'K7001');
    const scanner = modality(server.ports.dicom, 'MR1');
    const uid = newUid();
    expect(await scanner.create(uid, inProgress(steps))).toBe(0);
    const fillerOrderNumber = value(await im.received('NW/SC', 'K7001'), 'ORC-3');
    expect(value(await op.received('SC/IP', 'K7001'), 'ORC-3')).toBe(fillerOrderNumber);
    expect(await scanner.set(uid, completed([newUid()]))).toBe(0);
    const done = await op.received('SC/CM', 'K7001');
    expect([value(done, 'MSH-5'), value(done, 'MSH-6'), value(done, 'MSH-9')]).toEqual(['KOP', 'KIRUNA', 'ORM^O01']);
  });

  it('given everything that was received, when python3-hl7 writes it again, then it is the same text, and every acknowledgement of python3-hl7 has settled its message (HL7 v2.5.1 2.6)', async () => {
    const lines = [op, im, imB].flatMap((peer) => peer.process.lines.slice(1));
    const messages = lines.map((line) => JSON.parse(line) as Parsed);
    expect(messages.length).toBeGreaterThanOrEqual(4);
    for (const message of messages) expect(message.again).toBe(message.raw);
    expect([op, im, imB].flatMap((peer) => peer.process.errors)).toEqual([]);
    await until('nothing waits to be delivered', async () => {
      const answer = await fetch(`http://127.0.0.1:${server.ports.http}/api/destinations`);
      const { items } = (await answer.json()) as { items: { pending: number; refused: number }[] };
      return items.length === 3 && items.every((lane) => lane.pending === 0 && lane.refused === 0);
    });
  });
});

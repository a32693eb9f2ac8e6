import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { catalogueSchema } from '../../src/platform/catalogue-schema.ts';
import { catalogueOf } from '../../actors/mesa-catalogue.ts';
import { readMesaCodes } from '../../actors/mesa-codes.ts';
import { compareListsFor, compareMessages, shortly } from '../../actors/mesa-compare.ts';
import { type MesaKit, openMesaKit } from '../../actors/mesa-kit.ts';
import { patternOf, readCompareList, readFormatList } from '../../actors/mesa-lists.ts';
import { type FieldsOfMessage, addressed, fieldsOf } from '../../actors/mesa-message.ts';
import { planOf } from '../../actors/mesa-plan.ts';
import { readMesaScript } from '../../actors/mesa-script.ts';
import { orderLike } from '../../actors/mesa-staff.ts';
import { smallKit, writeKit } from './mesa-folder.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'swf mesa '));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function kitWith(files: Readonly<Record<string, string>> = {}): MesaKit {
  writeKit(folder, { ...smallKit, ...files });
  const kit = openMesaKit(folder);
  if (!kit) throw new Error('no kit');
  return kit;
}

const message = (...lines: string[]): FieldsOfMessage => {
  const fields = fieldsOf(Buffer.from(`${['MSH|^~\\&|A|B|C|D|||ORM^O01|1|P|2.3.1', ...lines].join('\r')}\r`));
  if (!fields) throw new Error('no message');
  return fields;
};

describe('a MESA kit', () => {
  it('is known by its scripts; its messages are found under either name', () => {
    const kit = kitWith();

    expect(kit.scripts.map(({ name }) => name)).toEqual(['900', '901', '902']);
    expect(kit.messageFile('order/900/b.hl7')).toBe(join(folder, 'messages', 'order/900/b.hl7'));
    expect(kit.messageFile('status/900/d.hl7')).toBe(join(folder, 'messages', 'rad_status_900_d.hl7'));
    expect(openMesaKit(join(folder, 'codes'))).toBeUndefined();
  });

  it('given a script, then its lines become steps in their order, what a person does among them', () => {
    const kit = kitWith();
    const [script = { name: '', file: '' }] = kit.scripts;

    const plan = planOf(readMesaScript(script.name, script.file), kit);

    expect(plan.problems).toEqual([]);
    expect(plan.steps.map(({ transaction, who, act }) => `${transaction} ${who} ${act.does}`)).toEqual([
      'RAD-1 ADT → OP elsewhere',
      'RAD-1 ADT → OF send',
      'RAD-2 OP → OF send',
      'RAD-4 staff schedule',
      'RAD-4 OF → IM receive',
      'RAD-5 MOD → OF find',
      'RAD-6 MOD → OF begin',
      'RAD-6 OF → IM relayed',
      'RAD-3 OF → OP receive',
      'RAD-7 MOD → OF end',
      'RAD-7 OF → IM relayed',
    ]);
    expect(plan.examinations).toMatchObject([{ station: 'MR9', protocolCode: 'K1A' }]);
  });

  it.each([
    ['TRANSACTION\t1\tADT', 'a transaction has a number, from, to and an event'],
    ['TRANSACTION\t48\tOF\tOP\tAPPOINT\tadt/900/a.hl7', 'transaction 48 from OF to OP, event APPOINT, is not played'],
    ['TRANSACTION\t1\tADT\tOF\tREGISTER\tadt/900/none.hl7', 'adt/900/none.hl7: the kit has no such message'],
    ['MESA-INTERNAL\tMAKE-TEA', 'MESA-INTERNAL MAKE-TEA is not played'],
    ['LOCALSCHEDULING\tx', 'LOCALSCHEDULING is no verb that is played'],
    ['EXIT', 'EXIT: the script ends here'],
  ])('given a line that is not understood (%s), then it is named with its number', (line, text) => {
    const kit = kitWith({ 'scenarios/903/903.txt': `# a comment\r\nPROFILE\tSWF\r\n${line}\r\n` });
    const file = join(folder, 'scenarios', '903', '903.txt');

    const { problems } = planOf(readMesaScript('903', file), kit);

    expect(problems).toEqual([{ file, line: 3, text: expect.stringContaining(text) as string }]);
  });

  it('given an abandoned and an unscheduled examination, then their data sets are described', () => {
    const kit = kitWith({
      'scenarios/903/903.txt': [
        'MESSAGE RAD-SCHEDULE OF OF SCHEDULE sched/900/c.hl7 T1 K1A K1 EAST MR9',
        'MESA-INTERNAL GEN-MPPS-ABANDON-CODED OF OF SCHEDULE sched/900/c.hl7 T1 MR/X K1A K1 EAST MR9 110514',
        'MESA-INTERNAL GEN-UNSCHED-SOP-INSTANCES T2 adt/900/a.hl7 MR K1 K1P MR/X',
      ].join('\n'),
    });

    const { examinations } = planOf(readMesaScript('903', join(folder, 'scenarios', '903', '903.txt')), kit);

    expect(examinations).toMatchObject([
      { discontinuedFor: '110514', station: 'MR9' },
      { unscheduled: { modality: 'MR', procedureCode: 'K1', performedCode: 'K1P' } },
    ]);
  });
});

describe('the lists of a kit', () => {
  it('given a compare list, then it names fields, components and whole segments', () => {
    kitWith({ 'compare_ini/x.ini': '# words\r\n[PID]\r\n3\r\n5.1\r\n\r\n[ZDS]\r\n#[PV1]\r\n' });

    expect(readCompareList(join(folder, 'compare_ini', 'x.ini'))).toEqual({
      fields: [{ segment: 'PID', field: 3 }, { segment: 'PID', field: 5, component: 1 }, { segment: 'ZDS' }],
      problems: [],
    });
  });

  it('given a format list, then it says form and values; a line that says neither is named', () => {
    kitWith({ 'compare_ini/x.ini': '[ORC]\n3.0.0, Format = $Z;\t// its number\n5, PV = SC:CA;\nwhat\n' });

    expect(readFormatList(join(folder, 'compare_ini', 'x.ini'))).toEqual({
      fields: [
        { segment: 'ORC', field: 3, format: '$Z' },
        { segment: 'ORC', field: 5, values: ['SC', 'CA'] },
      ],
      problems: [
        { file: join(folder, 'compare_ini', 'x.ini'), line: 4, text: expect.stringContaining('not what') as string },
      ],
    });
  });

  it.each([
    ['$Z', 'anything at all', true],
    ['$Z', '', false],
    ['$#', '20300105', true],
    ['$#', '20300105+0100', false],
    ['XX$0##', 'A7000042', true],
    ['2.3.1', '2.3.1', true],
    ['2.3.1', '2x3.1', false],
  ])('the form %s of %j holds: %s', (format, value, holds) => {
    expect(patternOf(format).test(value)).toBe(holds);
  });

  it('given a message beside the one of the kit, then each listed field is equal or named, and what is not listed is free', () => {
    const kit = kitWith();
    const reference = message('PID|||7^^^R||B^A', 'ORC|NW|N1^K|Z', `OBR|1|N1^K|Z|K1^Knee^KIT^^^${'|'.repeat(20)}MR`);
    const received = message(
      'PID|||7^^^R||B^C',
      'ORC|NW|N1^K|F9|X|',
      `OBR|1|N1^K|Z|K1^Knee^KIT${'|'.repeat(14)}A1${'|'.repeat(6)}CT`,
    );

    const lists = compareListsFor(kit, 'sched/900/c.hl7', reference);
    const { mismatches, equal, present } = compareMessages(received, reference, lists);

    expect(mismatches).toEqual([
      { place: 'PID-5', expected: 'B^A', received: 'B^C' },
      { place: 'OBR-24', expected: 'MR', received: 'CT' },
      { place: 'ORC-5', expected: 'one of SC, CA', received: '(empty)' },
    ]);
    expect(shortly(equal)).toBe('MSH-9 12  PID-3 5  ORC-1 2  OBR-4 24');
    expect(shortly(present)).toBe('ORC-3 5  OBR-18');
  });

  it('given an order of the department, then its scheduled time is left out of the comparison and its priority is not', () => {
    const kit = kitWith();
    const reference = message('PID|||7', 'ORC|SN||Z||||1^once^^20300105^^S', 'OBR|1||Z|K1');
    const compare = (timing: string) =>
      compareMessages(
        message('PID|||7', `ORC|SN||Z||||${timing}`, 'OBR|1||Z|K1'),
        reference,
        compareListsFor(kit, 'order/901/e.hl7', reference),
      ).mismatches.map(({ place }) => place);

    expect(compare('1^once^^203101010900^^S')).toEqual([]);
    expect(compare('1^once^^203101010900^^R')).toEqual(['ORC-7']);
  });

  it('given a missing and a further segment, then both count', () => {
    const lists = { equal: [{ segment: 'PID' }, { segment: 'OBR', field: 4 }], forms: [], without: [] };

    const { mismatches } = compareMessages(message('OBR||||K1', 'OBR||||K2'), message('PID|||7', 'OBR||||K1'), lists);

    expect(mismatches).toEqual([
      { place: 'PID', expected: '1 times', received: '0 times' },
      { place: 'OBR', expected: '1 times', received: '2 times' },
    ]);
  });
});

describe('a message of a kit', () => {
  it('is sent as it is, with the names of the site and what is filled in', () => {
    const file = Buffer.from('MSH|^~\\&|KA|KF|KB|KG|||ORR^O02|901F|P|2.3.1\nMSA|AA|0\nORC|NA|N1|Z||||x^^\n', 'latin1');

    const bytes = addressed(file, {
      sender: { application: 'EMR', facility: 'HOSPITAL' },
      receiver: { application: 'OF', facility: 'RAD' },
      fields: { 'MSA-2': 'C42', 'ORC-3': 'F9^OF', 'ORC-9': 't' },
    });

    expect(Buffer.from(bytes).toString('latin1')).toBe(
      'MSH|^~\\&|EMR|HOSPITAL|OF|RAD|||ORR^O02|901F|P|2.3.1\rMSA|AA|C42\rORC|NA|N1|F9^OF||||x^^||t\r',
    );
  });

  it('becomes the body of an order of the department', () => {
    const reference = message(
      'PID|||7^^^REG||LINDQVIST^ASTA||19610407|F',
      'PV1||O|||||||||||||||||V77^^^REG',
      'ORC|SN||Z||||1^once^^20300105^^S|||||88^MOREL^LUC^^^DR||555',
      'OBR|1||Z|K1^Knee^KIT',
    );

    expect(JSON.parse(JSON.stringify(orderLike(reference)))).toEqual({
      patient: {
        identifiers: [{ value: '7', assigningAuthority: 'REG' }],
        name: { family: 'LINDQVIST', given: 'ASTA' },
        birthDate: '1961-04-07',
        sex: 'F',
      },
      visitNumber: 'V77',
      service: { code: 'K1', meaning: 'Knee', scheme: 'KIT' },
      start: '2030-01-05T00:00',
      priority: 'S',
      orderingProvider: { id: '88', family: 'MOREL', given: 'LUC', prefix: 'DR' },
      callBackPhone: '555',
    });
  });
});

describe('the codes of a kit', () => {
  it('become a catalogue; a script says modality and station where the table leaves them open', () => {
    const codes = readMesaCodes(kitWith().codeFiles());

    const catalogue = catalogueOf(codes, [{ service: 'K1', modality: 'MR', station: 'MR9' }]);

    const code = { code: 'K1', scheme: 'KIT', meaning: 'Knee' };
    const protocols = [{ code: 'K1A', scheme: 'KITP', meaning: 'Knee sagittal' }];
    const steps = [{ modality: 'MR', stations: ['MR9'], minutes: 30, description: 'Knee 1', protocols }];
    expect(catalogueSchema.parse(parse(catalogue))).toEqual([
      { service: code, requestedProcedures: [{ code, steps }] },
    ]);
  });

  it('an entry with too few values is named with its line', () => {
    const kit = kitWith();
    const file = join(folder, 'codes', 'services.xml');
    const source = readFileSync(file, 'utf8').replace('<k:param>KIT</k:param>', '');
    writeKit(folder, { 'codes/services.xml': source });

    expect(readMesaCodes(kit.codeFiles()).problems).toEqual([
      { file, line: 3, text: 'the entry has 3 values, the table 4 columns' },
    ]);
  });
});

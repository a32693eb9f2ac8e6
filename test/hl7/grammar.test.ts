import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkStructure, readStructure, type Group, type ReadStructure } from '../../src/hl7/grammar.ts';
import { parseMessage } from '../../src/hl7/message.ts';
import { partsOf, type Structure } from '../../src/hl7/structure-syntax.ts';
import {
  inboundStructure,
  inboundStructures,
  outboundStructure,
  outboundStructures,
} from '../../src/hl7/structures.ts';
import { bytesOf, failureOf } from './support.ts';
import { complete, maximal, minimal, namesOf, outlineOf, outlineOfShape, shapesOf } from './structure-shapes.ts';

const msh = (type: string) => `MSH|^~\\&|EMR|HOSPITAL|DSS|RAD|20260105090500||${type}|C1|P|2.3.1`;

function structureOf(type: string): Structure {
  const [messageType = '', triggerEvent = ''] = type.split('^');
  const structure = inboundStructure(messageType, triggerEvent);
  if (!structure) throw new Error(`${type} has no structure`);
  return structure;
}

/** Reads a message that is given by the names of its segments, MSH left out. */
function read(type: string, names: string): ReadStructure {
  const lines = names.split(' ').filter((name) => name !== '');
  return readStructure(parseMessage(bytesOf([msh(type), ...lines.map((name) => `${name}|1`)])), structureOf(type));
}

/** A group as text: own segments with their numbers, then the groups in it. */
function text(group: Group): string {
  const own = group.segments.map(({ name, sequence }) => `${name}-${sequence}`);
  return `${group.name}(${[...own, ...group.groups.map(text)].join(' ')})`;
}

const surplusOf = ({ surplus }: ReadStructure) => surplus.map(({ name, sequence }) => `${name}-${sequence}`);

const inboundTypes = inboundStructures.map(({ id, types }) => [id, types[0] ?? ''] as const);

describe('orders by their groups (ORM^O01, OMG^O19, OMI^O23; HL7 v2.5.1 4.4)', () => {
  it('gives every ORC an ORDER group and every OBR under it an OBSERVATION_REQUEST', () => {
    const { root, surplus } = read('ORM^O01', 'PID PV1 ORC OBR OBR NTE ORC OBR');
    const orders = root.groupsOf('ORDER');
    expect(orders.map((order) => order.groupsOf('OBSERVATION_REQUEST').length)).toEqual([2, 1]);
    expect(orders[0]?.groupsOf('OBSERVATION_REQUEST')[1]?.first('OBR')?.sequence).toBe(2);
    expect(orders[1]?.first('ORC')?.sequence).toBe(2);
    expect(surplus).toEqual([]);
  });

  it('gives IPC to the OBR before it and ZDS to the message (RAD TF-2 4.4)', () => {
    const { root } = read('OMI^O23', 'PID PV1 ORC TQ1 OBR IPC IPC ORC OBR IPC ZDS');
    expect(text(root)).toBe(
      'ORM_O01(MSH-1 ZDS-1 PATIENT(PID-1 PV1-1) ORDER(ORC-1 TQ1-1 OBSERVATION_REQUEST(OBR-1 IPC-1 IPC-2))' +
        ' ORDER(ORC-2 OBSERVATION_REQUEST(OBR-2 IPC-3)))',
    );
  });

  it('gives a note to what stands before it', () => {
    const { root } = read('OMG^O19', 'NTE PID NTE ORC NTE OBR NTE OBX NTE');
    expect(text(root)).toBe(
      'ORM_O01(MSH-1 NTE-1 PATIENT(PID-1 NTE-2)' +
        ' ORDER(ORC-1 NTE-3 OBSERVATION_REQUEST(OBR-1 NTE-4 OBSERVATION(OBX-1 NTE-5))))',
    );
  });

  it('takes timing that follows OBR for the order, and the note after it still for the observation', () => {
    const { root, surplus } = read('OMG^O19', 'PID ORC OBR OBX TQ1 NTE');
    expect(text(root.groupsOf('ORDER')[0] ?? root)).toBe(
      'ORDER(ORC-1 TQ1-1 OBSERVATION_REQUEST(OBR-1 OBSERVATION(OBX-1 NTE-1)))',
    );
    expect(surplus).toEqual([]);
  });

  it('takes visit and allergies that come after the order for the one patient', () => {
    const { root } = read('ORM^O01', 'PID ORC OBR AL1 PV1');
    expect(text(root.group('PATIENT') ?? root)).toBe('PATIENT(PID-1 AL1-1 PV1-1)');
  });

  it('takes a cancel without OBR, and an order without PID', () => {
    expect(text(read('ORM^O01', 'ORC').root)).toBe('ORM_O01(MSH-1 ORDER(ORC-1))');
  });

  it('takes financial data after an OBR without closing the order to the next OBR', () => {
    const { root } = read('ORM^O01', 'PID ORC OBR FT1 BLG OBR NTE');
    expect(root.groupsOf('ORDER').map(text)).toEqual([
      'ORDER(ORC-1 FT1-1 BLG-1 OBSERVATION_REQUEST(OBR-1) OBSERVATION_REQUEST(OBR-2 NTE-1))',
    ]);
  });

  it('takes an order that follows a ZDS with all that is its own', () => {
    const { root } = read('ORM^O01', 'PID ORC OBR ZDS ORC OBR NTE ZDS');
    expect(root.groupsOf('ORDER').map(text)).toEqual([
      'ORDER(ORC-1 OBSERVATION_REQUEST(OBR-1))',
      'ORDER(ORC-2 OBSERVATION_REQUEST(OBR-2 NTE-1))',
    ]);
    expect(root.all('ZDS')).toHaveLength(2);
  });

  it.each([
    ['an ORC before PID', 'ORC OBR PID', 'ORC^1'],
    ['an OBR before PID', 'OBR PID ORC', 'OBR^1'],
    ['an OBR before any ORC', 'PID OBR ORC', 'OBR^1'],
    ['no ORC', 'PID PV1', 'ORC^1'],
    ['a second PID before the order', 'PID PID ORC OBR', 'PID^2'],
    ['a second PID after the order', 'PID ORC OBR PID ORC OBR', 'PID^2'],
    ['a second PV1', 'PID PV1 ORC OBR PV1', 'PV1^2'],
  ])('refuses %s with 100', (_, names, location) => {
    expect(failureOf(() => read('ORM^O01', names))).toEqual({ code: 'segment-sequence', location });
  });
});

describe('merges by their patients (ADT^A40, A47; HL7 v2.5.1 3.3.40, 3.3.47)', () => {
  it.each(['ADT^A40', 'ADT^A47'])('%s: each PID begins a PATIENT group with its own MRG and PV1', (type) => {
    const { root } = read(type, 'EVN PID MRG PV1 PID PD1 MRG');
    expect(root.groupsOf('PATIENT').map(text)).toEqual(['PATIENT(PID-1 MRG-1 PV1-1)', 'PATIENT(PID-2 PD1-1 MRG-2)']);
  });

  it('takes an MRG that stands before the only PID', () => {
    expect(text(read('ADT^A40', 'EVN MRG PID').root)).toBe('ADT_A39(MSH-1 EVN-1 PATIENT(MRG-1 PID-1))');
  });

  it.each([
    ['no PID', 'EVN', 'PID^1'],
    ['a PID without MRG', 'EVN PID', 'MRG^1'],
    ['a second PID without MRG', 'EVN PID MRG PID', 'MRG^2'],
    ['an MRG without PID', 'EVN PID MRG MRG', 'PID^2'],
    ['two PV1 for one PID', 'EVN PID PV1 MRG PV1', 'PV1^2'],
  ])('refuses %s with 100', (_, names, location) => {
    expect(failureOf(() => read('ADT^A40', names))).toEqual({ code: 'segment-sequence', location });
  });
});

describe('a patient message (ADT_A01, ADT_A06; HL7 v2.5.1 3.3)', () => {
  it('takes its segments in any order, and goes without EVN and PV1', () => {
    const { root, surplus } = read('ADT^A08', 'PV1 AL1 OBX AL1 PID');
    expect([root.first('PID')?.sequence, root.first('PV1')?.sequence, root.all('AL1').length]).toEqual([1, 1, 2]);
    expect(surplus).toEqual([]);
    expect(text(read('ADT^A31', 'PID').root)).toBe('ADT_A01(MSH-1 PID-1)');
  });

  it('knows MRG where the patient class changes, and nowhere else', () => {
    expect(read('ADT^A06', 'EVN PID MRG PV1').root.first('MRG')).toBeDefined();
    expect(surplusOf(read('ADT^A08', 'EVN PID MRG PV1'))).toEqual(['MRG-1']);
  });

  it.each([
    ['no PID', 'EVN PV1', 'PID^1'],
    ['two PID', 'EVN PID PID', 'PID^2'],
    ['two PV1', 'EVN PID PV1 PV1', 'PV1^2'],
  ])('refuses %s with 100', (_, names, location) => {
    expect(failureOf(() => read('ADT^A04', names))).toEqual({ code: 'segment-sequence', location });
  });
});

describe('results by their orders (ORU^R01; HL7 v2.5.1 7.3.1)', () => {
  it('begins an ORDER_OBSERVATION with every ORC, and with every OBR that has none', () => {
    const { root } = read('ORU^R01', 'PID PV1 ORC OBR OBX NTE OBX OBR OBX ORC OBR ZDS');
    expect(text(root.group('PATIENT_RESULT') ?? root)).toBe(
      'PATIENT_RESULT(PATIENT(PID-1 PV1-1)' +
        ' ORDER_OBSERVATION(ORC-1 OBR-1 OBSERVATION(OBX-1 NTE-1) OBSERVATION(OBX-2))' +
        ' ORDER_OBSERVATION(OBR-2 OBSERVATION(OBX-3)) ORDER_OBSERVATION(ORC-2 OBR-3 ZDS-1))',
    );
  });

  it('keeps the results of two patients apart, and takes results without a patient', () => {
    const patients = (names: string) =>
      read('ORU^R01', names)
        .root.groupsOf('PATIENT_RESULT')
        .map((result) => [
          result.group('PATIENT')?.first('PID')?.sequence,
          result.groupsOf('ORDER_OBSERVATION').length,
        ]);
    expect(patients('PID OBR OBX PID ORC OBR OBR')).toEqual([
      [1, 1],
      [2, 2],
    ]);
    expect(patients('OBR OBX OBX')).toEqual([[undefined, 1]]);
  });

  it.each([
    ['no OBR', 'PID PV1', 'OBR^1'],
    ['a result before its patient', 'OBR OBX PID OBR', 'OBR^1'],
    ['nothing', '', 'OBR^1'],
  ])('refuses %s with 100', (_, names, location) => {
    expect(failureOf(() => read('ORU^R01', names)).code).toBe('segment-sequence');
    if (names !== '') expect(failureOf(() => read('ORU^R01', names)).location).toBe(location);
  });
});

describe('appointments by their resources (SIU; HL7 v2.5.1 10.4, RAD TF-2 4.48)', () => {
  it('gives each RGS its services, and each AIS its note', () => {
    const { root } = read('SIU^S12', 'SCH TQ1 PID PV1 RGS AIS NTE AIS AIL RGS AIS AIP');
    expect(root.groupsOf('RESOURCES').map(text)).toEqual([
      'RESOURCES(RGS-1 SERVICE(AIS-1 NTE-1) SERVICE(AIS-2) LOCATION(AIL-1))',
      'RESOURCES(RGS-2 SERVICE(AIS-3) PERSONNEL(AIP-1))',
    ]);
    expect(root.group('PATIENT')?.first('PV1')).toBeDefined();
  });

  it('takes services without RGS as one RESOURCES group, and a cancel of SCH alone', () => {
    expect(text(read('SIU^S13', 'SCH AIS AIL AIS').root)).toBe(
      'SIU_S12(MSH-1 SCH-1 RESOURCES(SERVICE(AIS-1) LOCATION(AIL-1) SERVICE(AIS-2)))',
    );
    expect(text(read('SIU^S15', 'SCH').root)).toBe('SIU_S12(MSH-1 SCH-1)');
  });

  it('takes the patient after the resources: there is no other', () => {
    expect(read('SIU^S12', 'SCH RGS AIS PID').root.group('PATIENT')?.first('PID')).toBeDefined();
  });

  it.each([
    ['no SCH', 'PID RGS AIS', 'SCH^1'],
    ['two SCH', 'SCH RGS AIS SCH RGS AIS', 'SCH^2'],
    ['two patients', 'SCH PID RGS AIS PID', 'PID^2'],
  ])('refuses %s with 100', (_, names, location) => {
    expect(failureOf(() => read('SIU^S12', names))).toEqual({ code: 'segment-sequence', location });
  });
});

describe('responses to orders (ORR^O02, ORG^O20; HL7 v2.5.1 4.4.2, 4.4.5)', () => {
  it.each(['ORR^O02', 'ORG^O20'])('%s gives every ORC with its OBR, with and without a patient', (type) => {
    const orders = (names: string) => read(type, names).root.groupsOf('ORDER').map(text);
    expect(orders('MSA ERR NTE PID ORC OBR ORC')).toEqual(['ORDER(ORC-1 OBR-1)', 'ORDER(ORC-2)']);
    expect(orders('MSA ORC TQ1 OBR')).toEqual(['ORDER(ORC-1 TQ1-1 OBR-1)']);
    expect(orders('MSA')).toEqual([]);
  });

  it('refuses one without MSA', () => {
    expect(failureOf(() => read('ORR^O02', 'ORC')).location).toBe('MSA^1');
  });
});

describe('segments without a place (HL7 v2.5.1 2.6.2)', () => {
  it('are kept apart in their order and refuse nothing', () => {
    const result = read('ORM^O01', 'ZPI PID OBX PV1 ORC ZOR OBR SCH ZDS CTD');
    expect(surplusOf(result)).toEqual(['ZPI-1', 'OBX-1', 'ZOR-1', 'SCH-1', 'CTD-1']);
    expect(text(result.root)).toBe('ORM_O01(MSH-1 ZDS-1 PATIENT(PID-1 PV1-1) ORDER(ORC-1 OBSERVATION_REQUEST(OBR-1)))');
  });

  it('are a visit before the first patient of a merge and a diagnosis before the order: whose they are is not said', () => {
    expect(surplusOf(read('ADT^A40', 'EVN PV1 PID MRG'))).toEqual(['PV1-1']);
    expect(surplusOf(read('ORM^O01', 'PID DG1 ORC OBR'))).toEqual(['DG1-1']);
  });

  it.each(['ADT^A08', 'SIU^S12'])('%s: an order is not its own and is passed over', (type) => {
    expect(surplusOf(read(type, 'SCH PID ORC OBR OBR'))).toEqual(expect.arrayContaining(['ORC-1', 'OBR-1', 'OBR-2']));
  });

  it.each(inboundTypes)('%s: every segment is in one group or in the surplus, whatever the order', (id, type) => {
    const known = complete(structureOf(type).parts).filter((name) => name !== 'MSH');
    const names = fc.array(fc.constantFrom(...known, 'ZZZ'), { maxLength: 25 });
    const placed = (group: Group): string[] => [
      ...group.segments.map(({ name, sequence }) => `${name}-${sequence}`),
      ...group.groups.flatMap(placed),
    ];
    fc.assert(
      fc.property(names, (sequence) => {
        const message = parseMessage(bytesOf([msh(type), ...sequence.map((name) => `${name}|1`)]));
        const everything = message.segments.map(({ name, sequence: number }) => `${name}-${number}`);
        let result: ReadStructure;
        try {
          result = readStructure(message, structureOf(type));
        } catch (thrown) {
          expect(thrown).toMatchObject({ code: 'segment-sequence' });
          return;
        }
        expect([...placed(result.root), ...surplusOf(result)].sort()).toEqual(everything.sort());
        expect(result.root.name).toBe(id);
      }),
    );
  });
});

describe('what we read (inbound structures)', () => {
  it.each(inboundTypes)('%s: a message in the order of the structure is read into exactly its groups', (id, type) => {
    const { parts } = structureOf(type);
    fc.assert(
      fc.property(shapesOf(parts, 0), (shapes) => {
        const [, ...names] = namesOf(shapes);
        const { root, surplus } = read(type, names.join(' '));
        expect(outlineOf(root)).toEqual(outlineOfShape(id, shapes));
        expect(surplus).toEqual([]);
      }),
    );
  });

  it('has one structure for every message type, and none for others', () => {
    const types = inboundStructures.flatMap((structure) => structure.types);
    expect(new Set(types).size).toBe(types.length);
    expect(inboundStructure('ORM', 'O02')).toBeUndefined();
    expect(inboundStructure('ADT', 'A17')).toBeUndefined();
  });

  it('reads what we send ourselves without surplus', () => {
    const types: Record<string, string> = {
      ORM: 'ORM^O01',
      OMG: 'OMG^O19',
      OMI: 'OMI^O23',
      SIU: 'SIU^S12',
      ORU: 'ORU^R01',
    };
    for (const { id, parts } of outboundStructures) {
      const type = id.startsWith('ADT_A39') ? 'ADT^A40' : (types[id.slice(0, 3)] ?? 'ADT^A08');
      if (id === 'ACK') continue;
      expect([id, read(type, maximal(parts).slice(1).join(' ')).surplus]).toEqual([id, []]);
    }
  });
});

describe('what we send (outbound structures)', () => {
  const rows = [...inboundStructures, ...outboundStructures].map((structure) => [structure.id, structure] as const);
  const strict = outboundStructures.map((structure) => [structure.id, structure] as const);

  it.each(rows)('%s: accepts its shortest and its longest sequence', (_, structure) => {
    for (const names of [minimal, complete, maximal].map((make) => make(structure.parts))) {
      expect(checkStructure(names, structure)).toBeUndefined();
    }
  });

  it.each(strict)('%s: names each required segment that is missing', (_, structure) => {
    const names = minimal(structure.parts);
    names.forEach((name, index) => {
      expect(checkStructure(names.toSpliced(index, 1), structure)).toContain(`${name} is missing`);
    });
  });

  it.each(strict)('%s: names the first of two neighbours that changed places', (_, structure) => {
    const names = complete(structure.parts);
    names.slice(1).forEach((name, index) => {
      const swapped = names.toSpliced(index, 2, name, names[index] ?? '');
      expect(checkStructure(swapped, structure)).toContain(`${name} (segment ${index + 1}) `);
    });
  });

  it.each(strict)('%s: names a segment that is not its own, wherever it stands', (_, structure) => {
    const names = complete(structure.parts);
    for (let index = 0; index <= names.length; index++) {
      expect(checkStructure(names.toSpliced(index, 0, 'NTE'), structure)).toContain(`NTE (segment ${index + 1})`);
    }
  });

  it.each([
    ['one ORC and OBR for each step, one ZDS at the end', 'ORM_O01 RAD-4', '2.3.1', 'MSH PID PV1 ORC OBR ORC OBR ZDS'],
    ['one IPC for each step', 'OMI_O23 RAD-13', '2.5.1', 'MSH PID PV1 ORC TQ1 OBR IPC IPC'],
    ['a status of ORC alone', 'ORM_O01 RAD-3 SC', '2.3.1', 'MSH ORC'],
    ['a merge with and without visit', 'ADT_A39 RAD-12', '2.5.1', 'MSH EVN PID MRG'],
    ['an appointment without patient', 'SIU_S12 RAD-48', '2.4', 'MSH SCH RGS AIS'],
  ] as const)('accepts %s (%s)', (_, id, version, names) => {
    expect(checkStructure(names.split(' '), outboundStructure(id, version))).toBeUndefined();
  });

  it.each([
    ['MSH PID PV1 ORC OBR ZDS ORC OBR ZDS', 'ORM_O01 RAD-4: ORC (segment 7) has no place there'],
    ['MSH PID PV1 ORC OBR ORC ZDS', 'ORM_O01 RAD-4: OBR is missing before ZDS (segment 7)'],
    ['MSH PID PV1 ORC OBR', 'ORM_O01 RAD-4: ZDS is missing at the end'],
    ['MSH PID PV1 OBR ORC ZDS', 'ORM_O01 RAD-4: OBR (segment 4) stands before ORC'],
    ['MSH PID PV1 ORC ORC OBR ZDS', 'ORM_O01 RAD-4: ORC (segment 5) stands before OBR'],
  ])('refuses %s', (names, sentence) => {
    expect(checkStructure(names.split(' '), outboundStructure('ORM_O01 RAD-4', '2.3.1'))).toBe(sentence);
  });

  it.each([
    ['ORM_O01 RAD-4', '2.5.1'],
    ['OMI_O23 RAD-4', '2.3.1'],
    ['SIU_S12 RAD-48', '2.3.1'],
    ['ORM_O01', '2.3.1'],
  ] as const)('has no structure %s in HL7 v%s', (id, version) => {
    expect(failureOf(() => outboundStructure(id, version)).code).toBe('internal');
  });
});

describe('the abstract message syntax (HL7 v2.5.1 2.12)', () => {
  it('reads both orders of brackets alike', () => {
    expect(partsOf('[{NTE}]')).toEqual(partsOf('{[NTE]}'));
    expect(partsOf('[{ORDER: ORC [OBR]}]')).toEqual([
      {
        group: 'ORDER',
        required: false,
        repeats: true,
        parts: [
          { segment: 'ORC', required: true, repeats: false },
          { segment: 'OBR', required: false, repeats: false },
        ],
      },
    ]);
  });

  it.each(['[PID', 'PID]', '[PID PD1]', '{ORDER: ORC'])('does not take %s', (syntax) => {
    expect(failureOf(() => partsOf(syntax)).code).toBe('internal');
  });
});

import { describe, expect, it } from 'vitest';
import { EXPLICIT_VR_LITTLE_ENDIAN, encodeDataset } from '../../src/dicom/codec.ts';
import { type Dataset, items, text, texts } from '../../src/dicom/dataset.ts';
import { orderRequestsFromHl7 } from '../../src/mapping/order-from-hl7.ts';
import { patientFromHl7, visitFromHl7 } from '../../src/mapping/patient-from-hl7.ts';
import { stepToWorklist } from '../../src/mapping/step-to-worklist.ts';
import { registered, visitAfter } from '../../src/workflow/patient-changes.ts';
import { planProcedures } from '../../src/workflow/planning.ts';
import type { WorklistSource } from '../../src/workflow/worklist-item.ts';
import type { PlacerOrder, VisitDetails } from '../../src/workflow/vocabulary.ts';
import { mshOf, readingOf, segment } from './reading.ts';

const order: PlacerOrder = {
  placerOrderNumber: { id: 'O1', namespace: 'EMR', universalId: '1.2.3', universalIdType: 'ISO' },
  priority: 'R',
  orderingProvider: { id: 'D1', family: 'ELM', given: 'ERIC', prefix: 'DR', degree: 'MD' },
  enteringOrganisation: { code: 'W1', meaning: 'Ward one', scheme: 'DEPT' },
  service: { code: 'SVC', meaning: 'The service', scheme: 'L' },
  dangerCode: { code: 'INF', meaning: 'Infectious', scheme: 'L' },
  relevantClinicalInformation: 'Pacemaker',
  transportationMode: 'WHLC',
  reason: { code: 'R51', meaning: 'Headache', scheme: 'I10' },
  comments: ['first', 'second'],
  bodyWeight: '72.5',
  bodyHeight: '1.68',
};

const visit: VisitDetails = {
  location: { pointOfCare: 'W1', room: '12', bed: 'A', facility: 'HOSP' },
  referringDoctor: { id: 'D2', family: 'FIR', given: 'FAY' },
  ambulatoryStatus: 'B6',
  visitIdentifier: { id: 'V1', assigningAuthority: { namespace: 'HOSP', universalId: '1.2', universalIdType: 'ISO' } },
};

const source: WorklistSource = {
  scheduledProcedureStepId: 'S1',
  stepStatus: 'SCHEDULED',
  modality: 'MR',
  scheduledStationAeTitles: ['MR1', 'MR2'],
  startDate: '2026-01-05',
  startTime: '09:30:15',
  step: {
    description: 'Head routine',
    protocols: [
      { code: 'P1', scheme: 'DEPT', meaning: 'Axial' },
      { code: 'P2', scheme: 'DEPT', meaning: 'Sagittal' },
    ],
  },
  requestedProcedureId: 'RP1',
  studyInstanceUid: '2.25.1',
  code: { code: 'HEAD', meaning: 'MR of the head', scheme: 'PLAN' },
  serviceIndex: 0,
  accessionNumber: 'A1',
  fillerOrderNumber: 'F1',
  order,
  patientName: { family: 'ALDER', given: 'ADA', middle: 'M', suffix: 'III', prefix: 'MS', degree: 'PHD' },
  birthDate: '1970-01-02',
  sex: 'F',
  demographics: {
    motherName: { family: 'OAK', given: 'OLIVIA' },
    address: ['Main Street 1', '', 'Anytown'],
    primaryLanguage: { code: 'en', meaning: 'English', scheme: 'ISO639' },
    accountNumber: { id: 'ACC1', assigningAuthority: { namespace: 'BILLING' } },
    allergies: ['Latex', 'Iodine'],
  },
  identifiers: [
    { value: 'P1', assigningAuthority: 'HOSP', universalId: '1.2.3', universalIdType: 'ISO' },
    { value: 'N1', assigningAuthority: 'NATIONAL' },
  ],
  patientClass: 'I',
  visit,
};

const site = { application: 'SWF_OF' };
const item = (more: Partial<WorklistSource> = {}): Dataset => stepToWorklist({ ...source, ...more }, site);
const withOrder = (more: Partial<PlacerOrder>): Dataset => item({ order: { ...order, ...more } });
const stepOf = (ds: Dataset): Dataset => items(ds, 'ScheduledProcedureStepSequence')[0] ?? {};

/** Code items as `value^scheme^meaning`. */
const codes = (ds: Dataset, keyword: string): string[] =>
  items(ds, keyword).map((one) =>
    ['CodeValue', 'CodingSchemeDesignator', 'CodeMeaning'].map((key) => text(one, key) ?? '').join('^'),
  );

describe('the scheduled procedure step (0040,0100)', () => {
  it('is one item', () => {
    expect(items(item(), 'ScheduledProcedureStepSequence')).toHaveLength(1);
  });

  it.each([
    ['ScheduledStationAETitle', ['MR1', 'MR2']],
    ['ScheduledProcedureStepStartDate', ['20260105']],
    ['ScheduledProcedureStepStartTime', ['093015']],
    ['Modality', ['MR']],
    ['ScheduledProcedureStepDescription', ['Head routine']],
    ['ScheduledProcedureStepID', ['S1']],
    ['ScheduledProcedureStepStatus', ['SCHEDULED']],
  ])('has %s %j', (keyword, values) => {
    expect(texts(stepOf(item()), keyword)).toEqual(values);
  });

  it('has every protocol code with value, scheme and meaning', () => {
    expect(codes(stepOf(item()), 'ScheduledProtocolCodeSequence')).toEqual(['P1^DEPT^Axial', 'P2^DEPT^Sagittal']);
  });

  it('has a description where there is no protocol: one of the two is there (type 1C)', () => {
    const bare = stepOf(item({ step: { description: 'Head', protocols: [] } }));
    expect([codes(bare, 'ScheduledProtocolCodeSequence'), text(bare, 'ScheduledProcedureStepDescription')]).toEqual([
      [],
      'Head',
    ]);
  });

  it.each([
    'ScheduledPerformingPhysicianName',
    'ScheduledStationName',
    'ScheduledProcedureStepLocation',
    'PreMedication',
    'RequestedContrastAgent',
  ])('has %s with no value while nothing is known (type 2)', (keyword) => {
    expect(stepOf(item())[keyword]).toEqual([]);
  });

  it('cuts a description at 64 characters (LO) and takes a backslash out of it', () => {
    const described = stepOf(item({ step: { description: `a\\b${'x'.repeat(100)}`, protocols: [] } }));
    expect(text(described, 'ScheduledProcedureStepDescription')).toBe(`a/b${'x'.repeat(61)}`);
  });
});

describe('the requested procedure', () => {
  it.each([
    ['RequestedProcedureID', 'RP1'],
    ['StudyInstanceUID', '2.25.1'],
    ['RequestedProcedureDescription', 'MR of the head'],
    ['ReasonForTheRequestedProcedure', 'Headache'],
    ['RequestedProcedurePriority', 'ROUTINE'],
    ['PatientTransportArrangements', 'WHLC'],
    ['RequestedProcedureComments', 'first second'],
  ])('has %s %j', (keyword, value) => {
    expect(text(item(), keyword)).toBe(value);
  });

  it('has one code item at most', () => {
    expect(codes(item(), 'RequestedProcedureCodeSequence')).toEqual(['HEAD^PLAN^MR of the head']);
  });

  it('is described by the ordered service where its own code has no words', () => {
    const bare = item({ code: { code: 'X' } });
    expect(text(bare, 'RequestedProcedureDescription')).toBe('The service');
    expect(codes(bare, 'RequestedProcedureCodeSequence')).toEqual(['SVC^L^The service']);
  });

  it('references its study with the class that modalities expect (0008,1110)', () => {
    const [study] = items(item(), 'ReferencedStudySequence');
    expect([study && text(study, 'ReferencedSOPClassUID'), study && text(study, 'ReferencedSOPInstanceUID')]).toEqual([
      '1.2.840.10008.3.1.2.3.1',
      '2.25.1',
    ]);
  });

  it.each([
    ['S', 'STAT'],
    ['A', 'HIGH'],
    ['P', 'HIGH'],
    ['C', 'HIGH'],
    ['R', 'ROUTINE'],
    ['T', 'MEDIUM'],
    ['X', undefined],
    [undefined, undefined],
  ])('has for the priority %j the value %j (HL7 table 0485 to (0040,1003))', (priority, value) => {
    const ds = withOrder(priority === undefined ? {} : { priority });
    const { priority: _, ...none } = order;
    expect(text(priority === undefined ? item({ order: none }) : ds, 'RequestedProcedurePriority')).toBe(value);
  });

  it('has its reason as code and text when it is coded, as text alone when it is text', () => {
    expect(codes(item(), 'ReasonForRequestedProcedureCodeSequence')).toEqual(['R51^I10^Headache']);
    const plain = withOrder({ reason: { meaning: 'Since yesterday' } });
    expect([
      text(plain, 'ReasonForTheRequestedProcedure'),
      codes(plain, 'ReasonForRequestedProcedureCodeSequence'),
    ]).toEqual(['Since yesterday', []]);
  });

  it.each([
    ['no scheme', { code: 'R51', meaning: 'Headache' }],
    ['no code', { scheme: 'I10', meaning: 'Headache' }],
  ])('has no code item for a value with %s: a code item needs both', (_, reason) => {
    expect(codes(withOrder({ reason }), 'ReasonForRequestedProcedureCodeSequence')).toEqual([]);
  });

  it('has the code as its meaning where the sender gave none (type 1)', () => {
    const ds = withOrder({ reason: { code: 'R51', scheme: 'I10' } });
    expect(codes(ds, 'ReasonForRequestedProcedureCodeSequence')).toEqual(['R51^I10^R51']);
  });

  it('does not cut a code that is too long for SH: it is a Long Code Value', () => {
    const long = 'C'.repeat(20);
    const [one] = items(
      withOrder({ reason: { code: long, scheme: 'I10' } }),
      'ReasonForRequestedProcedureCodeSequence',
    );
    expect([one?.['LongCodeValue'], one?.['CodeValue']]).toEqual([[long], undefined]);
  });
});

describe('the imaging service request', () => {
  it.each([
    ['AccessionNumber', 'A1'],
    ['RequestingPhysician', 'ELM^ERIC^^DR^MD'],
    ['ReferringPhysicianName', 'FIR^FAY'],
    ['PlacerOrderNumberImagingServiceRequest', 'O1'],
    ['FillerOrderNumberImagingServiceRequest', 'F1'],
    ['InstitutionName', 'Ward one'],
  ])('has %s %j', (keyword, value) => {
    expect(text(item(), keyword)).toBe(value);
  });

  it('has the code of the institution', () => {
    expect(codes(item(), 'InstitutionCodeSequence')).toEqual(['W1^DEPT^Ward one']);
  });

  it('names who gave the placer order number', () => {
    const [placer] = items(item(), 'OrderPlacerIdentifierSequence');
    expect(placer).toEqual({
      LocalNamespaceEntityID: ['EMR'],
      UniversalEntityID: ['1.2.3'],
      UniversalEntityIDType: ['ISO'],
    });
    expect(items(withOrder({ placerOrderNumber: { id: 'O1' } }), 'OrderPlacerIdentifierSequence')).toEqual([]);
  });
});

describe('visit, patient and what is medically relevant', () => {
  it.each([
    ['AdmissionID', 'V1'],
    ['CurrentPatientLocation', 'W1^12^A^HOSP'],
    ['PatientName', 'ALDER^ADA^M^MS^III PHD'],
    ['PatientID', 'P1'],
    ['IssuerOfPatientID', 'HOSP'],
    ['PatientMotherBirthName', 'OAK^OLIVIA'],
    ['PatientBirthDate', '19700102'],
    ['PatientSex', 'F'],
    ['PatientAddress', 'Main Street 1, Anytown'],
    ['PatientWeight', '72.5'],
    ['PatientSize', '1.68'],
    ['PatientState', 'Infectious'],
    ['PregnancyStatus', '3'],
    ['MedicalAlerts', 'Pacemaker'],
  ])('has %s %j', (keyword, value) => {
    expect(text(item(), keyword)).toBe(value);
  });

  it('has no weight or size that DS cannot carry: for its sake no station loses the step', () => {
    const { order } = source;
    const heavy = item({ order: { ...order, bodyWeight: '12345700000000000000', bodyHeight: '98765400000000000000' } });
    expect([heavy['PatientWeight'], heavy['PatientSize']]).toEqual([[], []]);
    expect(() => encodeDataset(heavy, EXPLICIT_VR_LITTLE_ENDIAN)).not.toThrow();
  });

  it('has every allergy as a value', () => {
    expect(texts(item(), 'Allergies')).toEqual(['Latex', 'Iodine']);
  });

  it('has the account number where the visit has none, else the visit number', () => {
    const ofAccount = item({ visit: null });
    expect(text(ofAccount, 'AdmissionID')).toBe('ACC1');
    const issuers = [item(), ofAccount].map((ds) => items(ds, 'IssuerOfAdmissionIDSequence')[0]);
    expect(issuers.map((issuer) => issuer && text(issuer, 'LocalNamespaceEntityID'))).toEqual(['HOSP', 'BILLING']);
  });

  it('has the further identifiers with their authorities', () => {
    const others = items(item(), 'OtherPatientIDsSequence');
    expect(others).toEqual([{ PatientID: ['N1'], IssuerOfPatientID: ['NATIONAL'], TypeOfPatientID: ['TEXT'] }]);
  });

  it('qualifies the issuer by its universal id', () => {
    const [qualifiers] = items(item(), 'IssuerOfPatientIDQualifiersSequence');
    expect(qualifiers).toEqual({ UniversalEntityID: ['1.2.3'], UniversalEntityIDType: ['ISO'] });
    const bare = item({ identifiers: [{ value: 'P1', assigningAuthority: 'HOSP' }] });
    expect(items(bare, 'IssuerOfPatientIDQualifiersSequence')).toEqual([]);
  });

  it.each([
    ['F', ['F']],
    ['M', ['M']],
    ['O', ['O']],
    ['A', ['O']],
    ['N', ['O']],
    ['U', []],
    ['X', []],
    [null, []],
  ])('has for the sex %j the values %j (HL7 table 0001 to (0010,0040))', (sex, values) => {
    expect(item({ sex })['PatientSex']).toEqual(values);
  });

  it.each([
    [{ family: 'ALDER' }, 'ALDER'],
    [{ given: 'ADA' }, '^ADA'],
    [{ family: 'ALDER', suffix: 'JR' }, 'ALDER^^^^JR'],
    [{ family: 'ALDER', degree: 'MD' }, 'ALDER^^^^MD'],
    [{ family: 'ALDER', prefix: 'DR' }, 'ALDER^^^DR'],
    [{ family: 'AL^DER\\=X', given: 'ADA' }, 'AL DER  X^ADA'],
  ])('writes the name %j as %s (PS3.5 6.2.1: prefix before suffix, no separator inside)', (patientName, name) => {
    expect(text(item({ patientName }), 'PatientName')).toBe(name);
  });

  it('keeps a name within 64 characters', () => {
    const ds = item({ patientName: { family: 'F'.repeat(60), given: 'G'.repeat(60) } });
    expect(text(ds, 'PatientName')).toBe(`${'F'.repeat(60)}^GGG`);
  });

  it('has no pregnancy status but for B6', () => {
    const statuses = ['A1', undefined].map((ambulatoryStatus) =>
      item({ visit: ambulatoryStatus === undefined ? {} : { ambulatoryStatus } }),
    );
    for (const ds of statuses) expect(ds['PregnancyStatus']).toEqual([]);
  });

  it('RouteOfAdmissions (0038,0016) is the patient class (PV1-2)', () => {
    expect(text(item({ patientClass: 'E' }), 'RouteOfAdmissions')).toBe('E');
  });
});

describe('what an OMI^O23 says, on the worklist', () => {
  const lines = [
    mshOf('OMI^O23^OMI_O23', '2.5.1'),
    'NTE|1||about the message',
    segment('PID', { 3: 'P1^^^HOSP', 5: 'ALDER^ADA' }),
    'PD1|',
    'NTE|1||hard of hearing',
    'NTE|2||comes & goes',
    segment('PV1', { 2: 'I', 16: 'VIP', 19: 'V1' }),
    segment('ORC', {
      1: 'NW',
      2: 'O1^EMR',
      13: 'W1^^^HOSP^^^^^Emergency',
      22: 'Hill 1^^Town',
      28: 'V^Very restricted^HL70177',
    }),
    'NTE|1||about the order',
    segment('OBR', { 2: 'O1^EMR', 4: 'SVC^Service^L', 24: 'CT', 34: '77&FERN&FAY&M&JR&DR&MD^202601050800~88&OTHER' }),
    segment('IPC', {
      1: 'A9^EMR^1.2.9^ISO',
      4: 'S9',
      5: 'CT',
      6: 'P1^Native^L',
      7: 'Scanner one^X',
      8: 'R12^Room 12',
      9: 'CT1',
    }),
    segment('IPC', { 1: 'A9^EMR^1.2.9^ISO', 4: 'S9', 5: 'CT', 6: 'P2^Contrast^L', 7: 'Scanner two' }),
  ];
  const read = (changed: readonly string[] = lines): WorklistSource => {
    const reading = readingOf(changed);
    const [request] = orderRequestsFromHl7(reading);
    const said = request?.order ?? order;
    const { demographics } = registered(undefined, patientFromHl7(reading));
    const details = visitAfter(undefined, visitFromHl7(reading) ?? never(), 'order').details;
    const identifiers = {
      requestedProcedureIds: ['RP1'],
      studyInstanceUids: ['2.25.1'],
      scheduledProcedureStepIds: ['S1'],
    };
    const plan = planProcedures(said, { catalogue: [], unknownProcedure: 'accept' }, identifiers, {
      date: '2026-01-05',
      time: '08:00:00',
    });
    const [step = never()] = plan[0]?.steps ?? [];
    return { ...source, accessionNumber: 'A9', order: said, step, demographics, visit: details };
  };
  const never = (): never => {
    throw new Error('the message was not read');
  };
  const shown = stepToWorklist(read(), site);

  it.each([
    ['ConfidentialityCode', 'ORC-28.2', 'Very restricted'],
    ['InstitutionalDepartmentName', 'ORC-13.9', 'Emergency'],
    ['InstitutionAddress', 'ORC-22', 'Hill 1, Town'],
    ['PatientComments', 'NTE-3 behind PID', 'hard of hearing comes & goes'],
    ['RequestedProcedureComments', 'NTE-3 behind ORC', 'about the order'],
    ['ConfidentialityConstraintOnPatientDataDescription', 'PV1-16', 'VIP'],
  ])('%s is %s', (keyword, _field, value) => {
    expect(text(shown, keyword)).toBe(value);
  });

  it.each([
    ['ScheduledPerformingPhysicianName', 'OBR-34.1', 'FERN^FAY^M^DR^JR MD'],
    ['ScheduledStationName', 'IPC-7.1', 'Scanner one'],
    ['ScheduledProcedureStepLocation', 'IPC-8.2', 'Room 12'],
  ])('%s of the step is %s', (keyword, _field, value) => {
    expect(text(stepOf(shown), keyword)).toBe(value);
  });

  it.each([
    [
      'IssuerOfAccessionNumberSequence',
      'IPC-1.2 to 1.4',
      { LocalNamespaceEntityID: ['EMR'], UniversalEntityID: ['1.2.9'], UniversalEntityIDType: ['ISO'] },
    ],
    ['OrderPlacerIdentifierSequence', 'ORC-2.2', { LocalNamespaceEntityID: ['EMR'] }],
    ['OrderFillerIdentifierSequence', 'ours', { LocalNamespaceEntityID: ['SWF_OF'] }],
  ])('%s is %s', (keyword, _field, item) => {
    expect(items(shown, keyword)).toEqual([item]);
  });

  it('OBR-34 without a name in its first component is nobody', () => {
    const plain = read(lines.map((line) => line.replace(/77&FERN[^|]*/, '77^FERN^FAY')));
    expect(stepOf(stepToWorklist(plain, site))['ScheduledPerformingPhysicianName']).toEqual([]);
  });
});

describe('a step of which next to nothing is known', () => {
  const bare: WorklistSource = {
    ...source,
    order: { placerOrderNumber: { id: 'O1' }, service: { code: 'SVC' } },
    code: { code: 'SVC' },
    birthDate: null,
    sex: null,
    demographics: {},
    identifiers: [{ value: 'P1', assigningAuthority: 'HOSP' }],
    patientClass: null,
    visit: null,
  };

  // PS3.4 K.6-1: type 2 return keys
  it.each([
    'RequestedProcedurePriority',
    'PatientTransportArrangements',
    'RequestingPhysician',
    'ReferringPhysicianName',
    'AdmissionID',
    'CurrentPatientLocation',
    'ReferencedPatientSequence',
    'PatientBirthDate',
    'PatientSex',
    'PatientWeight',
    'ConfidentialityConstraintOnPatientDataDescription',
    'PatientState',
    'PregnancyStatus',
    'MedicalAlerts',
    'Allergies',
    'SpecialNeeds',
  ])('still returns %s, with no value', (keyword) => {
    expect(stepToWorklist(bare, site)[keyword]).toEqual([]);
  });

  it.each([
    'PatientName',
    'PatientID',
    'StudyInstanceUID',
    'RequestedProcedureID',
    'RequestedProcedureDescription',
    'AccessionNumber',
  ])('still has a value for %s', (keyword) => {
    expect(text(stepToWorklist(bare, site), keyword)).toBeDefined();
  });
});

import { describe, expect, it } from 'vitest';
import { type Dataset, items, text, texts } from '../../src/dicom/dataset.ts';
import { stepToWorklist } from '../../src/mapping/step-to-worklist.ts';
import type { WorklistSource } from '../../src/workflow/worklist-item.ts';
import type { PlacerOrder, VisitDetails } from '../../src/workflow/vocabulary.ts';

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

  it.todo('ConfidentialityCode (0040,1008) from ORC-28, which is not read yet');
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

  it.todo('OrderFillerIdentifierSequence (0040,0027) and IssuerOfAccessionNumberSequence (0008,0051)');
  it.todo('InstitutionalDepartmentName (0008,1040) from ORC-13.9, InstitutionAddress (0008,0081) from ORC-22');
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

  it.todo('PatientComments (0010,4000) from NTE after PID');
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

import { type Dataset, type DatasetInput, dataset, items } from '../dicom/dataset.ts';
import type { Code, CodedValue, Location } from '../workflow/vocabulary.ts';
import { offsetAt } from '../platform/clock.ts';
import { accountOfStay } from '../workflow/patient-changes.ts';
import { orderOfService } from '../workflow/planning.ts';
import type { WorklistSource } from '../workflow/worklist-item.ts';
import { personNameOf, shortened, split } from './names.ts';

// PS3.4 F: the class that MESA's evaluator expects in the item, Detached Study Management (retired).
const DETACHED_STUDY_MANAGEMENT = '1.2.840.10008.3.1.2.3.1';

/** ORC-7.6 / TQ1-9 to (0040,1003). */
const priorities = new Map([
  ['S', 'STAT'],
  ['A', 'HIGH'],
  ['P', 'HIGH'],
  ['C', 'HIGH'],
  ['R', 'ROUTINE'],
  ['T', 'MEDIUM'],
]);

/** PID-8 to (0010,0040): U is zero length. */
const sexes = new Map([
  ['F', 'F'],
  ['M', 'M'],
  ['O', 'O'],
  ['A', 'O'],
  ['N', 'O'],
]);

/** A coded value as a sequence item, when value and scheme are there; text otherwise has no item. */
function codeItems(value: CodedValue | undefined): DatasetInput[] {
  // A code that DICOM cannot carry as it is stays text.
  if (!value?.code || !value.scheme || /[\\\p{Cc}]/u.test(value.code)) return [];
  return [codeItem({ code: value.code, scheme: value.scheme, meaning: value.meaning ?? value.code })];
}

function codeItem(code: Code): DatasetInput {
  // A value beyond SH goes into Long Code Value (PS3.3 8.1); identifiers are not cut.
  const long = code.code.length > 16;
  return {
    [long ? 'LongCodeValue' : 'CodeValue']: code.code,
    CodingSchemeDesignator: shortened(code.scheme, 16),
    CodeMeaning: shortened(code.meaning, 64),
  };
}

// A value field is bounded (PS3.5 7.1); nobody reads more lines than this on a console.
const MOST_VALUES = 200;

// UT and UC take long values; this is more than any authority needs.
const LONGEST_ENTITY = 1024;

/** (0040,0033) is a code string: DNS, ISO, URI and the like (PS3.3 10.14). */
function entityType(type: string | undefined): string | null {
  return type !== undefined && /^[A-Z0-9_ ]{1,16}$/.test(type) ? type : null;
}

function universalEntity(authority: {
  readonly universalId?: string;
  readonly universalIdType?: string;
}): DatasetInput {
  const { universalId, universalIdType } = authority;
  if (universalId === undefined) return {};
  return {
    UniversalEntityID: shortened(universalId, LONGEST_ENTITY),
    UniversalEntityIDType: entityType(universalIdType),
  };
}

function authorityItem(authority: {
  readonly namespace?: string;
  readonly universalId?: string;
  readonly universalIdType?: string;
}): DatasetInput[] {
  const { namespace, universalId } = authority;
  if (namespace === undefined && universalId === undefined) return [];
  const local = namespace === undefined ? {} : { LocalNamespaceEntityID: shortened(namespace, LONGEST_ENTITY) };
  return [{ ...local, ...universalEntity(authority) }];
}

// DS has 16 characters (PS3.5 6.2); a measure beyond them is none, and nobody misses a step for it.
const decimal = (text: string | undefined): string | null => (text !== undefined && text.length <= 16 ? text : null);

const joined = (parts: readonly string[] | undefined): string | undefined =>
  parts?.filter((part) => part !== '').join(', ');

function locationText(location: Location | undefined): string | null {
  if (!location) return null;
  const parts = [location.pointOfCare, location.room, location.bed, location.facility].map((part) => part ?? '');
  return shortened(parts.join('^').replace(/\^+$/, ''), 64);
}

// ADT^A11 and A38 cancel no order: who is at the station has to know.
const VISIT_CANCELLED = 'Visit cancelled: ask the ward or the order placer before you begin';

/** What an item is made of. */
interface Known extends WorklistSource {
  readonly site: WorklistSite;
}

/** Attributes by keyword; each is made only where it is asked for. */
type Attributes = Readonly<Record<string, (known: Known) => DatasetInput[string]>>;

const stepAttributes: Attributes = {
  ScheduledStationAETitle: ({ scheduledStationAeTitles }) => [...scheduledStationAeTitles],
  ScheduledProcedureStepStartDate: ({ startDate }) => startDate.replaceAll('-', ''),
  ScheduledProcedureStepStartTime: ({ startTime }) => startTime.replaceAll(':', ''),
  Modality: ({ modality }) => modality,
  ScheduledPerformingPhysicianName: ({ order }) => personNameOf(order.scheduledPerformer),
  ScheduledProcedureStepDescription: ({ step }) => shortened(step.description, 64),
  ScheduledProtocolCodeSequence: ({ step }) => step.protocols.map(codeItem),
  ScheduledProcedureStepID: ({ scheduledProcedureStepId }) => scheduledProcedureStepId,
  ScheduledProcedureStepStatus: ({ stepStatus }) => stepStatus,
  ScheduledStationName: ({ step }) => shortened(step.stationName, 16),
  ScheduledProcedureStepLocation: ({ step }) => shortened(step.location, 16),
  PreMedication: ({ step }) => shortened(step.preMedication, 64),
  RequestedContrastAgent: ({ step }) => shortened(step.contrastAgent, 64),
  CommentsOnTheScheduledProcedureStep: ({ visitStatus }) => (visitStatus === 'CANCELLED' ? VISIT_CANCELLED : null),
};

// (0008,0020) and (0008,0030) come from the first MPPS, as far as they are a day and a time.
function studyDate({ begun }: Known): string | null {
  const date = begun?.date.trim() ?? '';
  return /^\d{8}$/.test(date) ? date : null;
}

function studyTime(known: Known): string | null {
  const time = known.begun?.time.trim() ?? '';
  return studyDate(known) !== null && /^\d{2,6}(\.\d{1,6})?$/.test(time) ? time : null;
}

function procedureCode({ code, order }: Known): DatasetInput[] {
  const own = codeItems(code);
  return own.length > 0 ? own : codeItems(order.service);
}

const procedureAttributes: Attributes = {
  RequestedProcedureID: ({ requestedProcedureId }) => requestedProcedureId,
  RequestedProcedureDescription: ({ code, order }) => shortened(code.meaning ?? order.service.meaning ?? code.code, 64),
  RequestedProcedureCodeSequence: procedureCode,
  StudyInstanceUID: ({ studyInstanceUid }) => studyInstanceUid,
  ReferencedStudySequence: ({ studyInstanceUid }) => [
    { ReferencedSOPClassUID: DETACHED_STUDY_MANAGEMENT, ReferencedSOPInstanceUID: studyInstanceUid },
  ],
  RequestedProcedurePriority: ({ order }) => priorities.get(order.priority ?? '') ?? null,
  PatientTransportArrangements: ({ order }) => shortened(order.transportationMode, 64),
  ReasonForTheRequestedProcedure: ({ order: { reason } }) => shortened(reason?.meaning ?? reason?.code, 64),
  ReasonForRequestedProcedureCodeSequence: ({ order }) => codeItems(order.reason),
  RequestedProcedureComments: ({ order }) => shortened(order.comments?.join(' '), 10_240),
  ConfidentialityCode: ({ order: { confidentialityCode: code } }) => shortened(code?.meaning ?? code?.code, 64),
  StudyDate: studyDate,
  StudyTime: studyTime,
};

/** Who gave the accession number: the placer where it is the order's own, else we. */
function issuerOfAccession({ order, accessionNumber, site }: Known): DatasetInput[] {
  const isOurs = order.requestedAccessionNumber !== accessionNumber;
  return authorityItem(isOurs ? { namespace: site.application } : (order.requestedAccessionNumberIssuer ?? {}));
}

const requestAttributes: Attributes = {
  AccessionNumber: ({ accessionNumber }) => accessionNumber,
  IssuerOfAccessionNumberSequence: issuerOfAccession,
  RequestingPhysician: ({ order }) => personNameOf(order.orderingProvider),
  ReferringPhysicianName: ({ visit }) => personNameOf(visit?.referringDoctor),
  PlacerOrderNumberImagingServiceRequest: ({ order }) => shortened(order.placerOrderNumber?.id, 64),
  OrderPlacerIdentifierSequence: ({ order: { placerOrderNumber: number } }) => (number ? authorityItem(number) : []),
  FillerOrderNumberImagingServiceRequest: ({ fillerOrderNumber }) => fillerOrderNumber,
  OrderFillerIdentifierSequence: ({ site }) => authorityItem({ namespace: site.application }),
  InstitutionName: ({ order }) => shortened(order.enteringOrganisation?.meaning, 64),
  InstitutionCodeSequence: ({ order }) => codeItems(order.enteringOrganisation),
  InstitutionalDepartmentName: ({ order }) => shortened(order.enterersDepartment, 64),
  InstitutionAddress: ({ order }) => shortened(joined(order.orderingFacilityAddress), 1_024),
};

const patientAttributes: Attributes = {
  PatientName: ({ patientName }) => personNameOf(patientName),
  PatientID: ({ identifiers: [first] }) => first?.value ?? null,
  IssuerOfPatientID: ({ identifiers: [first] }) => shortened(first?.assigningAuthority, 64),
  IssuerOfPatientIDQualifiersSequence: ({ identifiers: [first] }) =>
    first?.universalId === undefined ? [] : [universalEntity(first)],
  OtherPatientIDsSequence: ({ identifiers }) =>
    identifiers.slice(1).map((other) => ({
      PatientID: other.value,
      IssuerOfPatientID: shortened(other.assigningAuthority, 64),
      TypeOfPatientID: 'TEXT',
    })),
  PatientBirthDate: ({ birthDate }) => birthDate?.replaceAll('-', '') ?? null,
  PatientSex: ({ sex }) => sexes.get(sex ?? '') ?? null,
  PatientMotherBirthName: ({ demographics }) => personNameOf(demographics.motherName),
  PatientAddress: ({ demographics }) => shortened(joined(demographics.address), 64),
  PatientComments: ({ demographics }) => shortened(demographics.comments?.join(' '), 10_240),
  PatientPrimaryLanguageCodeSequence: ({ demographics }) => codeItems(demographics.primaryLanguage),
  PatientWeight: ({ order }) => decimal(order.bodyWeight),
  PatientSize: ({ order }) => decimal(order.bodyHeight),
  PatientState: ({ order: { dangerCode } }) => shortened(dangerCode?.meaning ?? dangerCode?.code, 64),
  MedicalAlerts: ({ order }) => split(order.relevantClinicalInformation).slice(0, MOST_VALUES),
  Allergies: ({ demographics }) => (demographics.allergies ?? []).flatMap(split).slice(0, MOST_VALUES),
  ConfidentialityConstraintOnPatientDataDescription: ({ visit }) => shortened(visit?.vipIndicator, 64),
  SpecialNeeds: () => null,
  ReferencedPatientSequence: () => [],
  PertinentDocumentsSequence: () => [],
};

/** PV1-19, else PID-18. */
function admission({ visit, visitNumber, visitAuthority: assigningAuthority, demographics }: Known) {
  return visit?.visitIdentifier ?? accountOfStay(demographics.accountNumber, { visitNumber, assigningAuthority });
}

function issuerOfAdmission(known: Known): DatasetInput[] {
  const authority = admission(known)?.assigningAuthority;
  return authority ? authorityItem(authority) : [];
}

const visitAttributes: Attributes = {
  AdmissionID: (known) => shortened(admission(known)?.id, 64),
  IssuerOfAdmissionIDSequence: issuerOfAdmission,
  RouteOfAdmissions: ({ patientClass }) => shortened(patientClass ?? undefined, 64),
  CurrentPatientLocation: ({ visit }) => locationText(visit?.location),
  // HL7 table 0009, B6: pregnant; (0010,21C0) 3: definitely.
  PregnancyStatus: ({ visit }) => (visit?.ambulatoryStatus === 'B6' ? 3 : null),
};

/** What an item says of the site itself. */
export interface WorklistSite {
  /** Who gives filler order and accession numbers: our MSH-3. */
  readonly application: string;
  /** IANA name: the offset of the step's start goes into the item; left out where nobody asks for it. */
  readonly timeZone?: string | undefined;
}

// (0008,0201) is about every date and time of the item; a step's start is what a modality acts on.
function offsetOfStart({ startDate, startTime, site: { timeZone } }: Known): string | undefined {
  return timeZone === undefined ? undefined : offsetAt({ date: startDate, time: startTime }, timeZone);
}

const attributes: Attributes = {
  ...patientAttributes,
  ...visitAttributes,
  TimezoneOffsetFromUTC: offsetOfStart,
  ...requestAttributes,
  ...procedureAttributes,
};

const STEP = 'ScheduledProcedureStepSequence';

/** Those of the attributes that are asked for; all where nothing says which. */
function made(known: Known, table: Attributes, asked: Dataset | undefined): Dataset {
  const item: Record<string, DatasetInput[string]> = {};
  for (const keyword of Object.keys(asked ?? table)) item[keyword] = table[keyword]?.(known);
  return dataset(item);
}

/**
 * The worklist item of one step: every return key of PS3.4 K.6-1 that a department can know. With a query, only the keys
 * that it names, which are all that its matching and its answer look at.
 */
export function stepToWorklist(row: WorklistSource, site: WorklistSite, query?: Dataset): Dataset {
  const known = { ...row, order: orderOfService(row.order, row.serviceIndex), site };
  const item = made(known, attributes, query);
  if (query && !query[STEP]) return item;
  const [step = {}] = query ? items(query, STEP) : [];
  const isWhole = Object.keys(step).length === 0;
  return { ...item, [STEP]: [made(known, stepAttributes, isWhole ? undefined : step)] };
}

import { type Dataset, type DatasetInput, dataset } from '../dicom/dataset.ts';
import type { Code, CodedValue, Location } from '../workflow/vocabulary.ts';
import { offsetAt } from '../platform/clock.ts';
import { accountOfStay } from '../workflow/patient-changes.ts';
import { orderOfService } from '../workflow/planning.ts';
import type { WorklistSource } from '../workflow/worklist-item.ts';
import { personNameOf, shortened, split } from './names.ts';

// PS3.4 F: the class that MESA's evaluator expects in the item, Detached Study Management (retired).
const DETACHED_STUDY_MANAGEMENT = '1.2.840.10008.3.1.2.3.1';

/** ORC-7.6 / TQ1-9 to (0040,1003). */
const priorities: Readonly<Record<string, string>> = {
  S: 'STAT',
  A: 'HIGH',
  P: 'HIGH',
  C: 'HIGH',
  R: 'ROUTINE',
  T: 'MEDIUM',
};

/** PID-8 to (0010,0040): U is zero length. */
const sexes: Readonly<Record<string, string>> = { F: 'F', M: 'M', O: 'O', A: 'O', N: 'O' };

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

function stepItem(source: WorklistSource): DatasetInput {
  return {
    ScheduledStationAETitle: [...source.scheduledStationAeTitles],
    ScheduledProcedureStepStartDate: source.startDate.replaceAll('-', ''),
    ScheduledProcedureStepStartTime: source.startTime.replaceAll(':', ''),
    Modality: source.modality,
    ScheduledPerformingPhysicianName: personNameOf(source.order.scheduledPerformer),
    ScheduledProcedureStepDescription: shortened(source.step.description, 64),
    ScheduledProtocolCodeSequence: source.step.protocols.map(codeItem),
    ScheduledProcedureStepID: source.scheduledProcedureStepId,
    ScheduledProcedureStepStatus: source.stepStatus,
    ScheduledStationName: shortened(source.step.stationName, 16),
    ScheduledProcedureStepLocation: shortened(source.step.location, 16),
    PreMedication: shortened(source.step.preMedication, 64),
    RequestedContrastAgent: shortened(source.step.contrastAgent, 64),
    CommentsOnTheScheduledProcedureStep: source.visitStatus === 'CANCELLED' ? VISIT_CANCELLED : null,
  };
}

/** (0008,0020) and (0008,0030) from the first MPPS, as far as they are a day and a time. */
function studyStart(begun: WorklistSource['begun']): DatasetInput {
  const date = begun?.date.trim() ?? '';
  const time = begun?.time.trim() ?? '';
  const known = /^\d{8}$/.test(date);
  return { StudyDate: known ? date : null, StudyTime: known && /^\d{2,6}(\.\d{1,6})?$/.test(time) ? time : null };
}

function procedureKeys(source: WorklistSource): DatasetInput {
  const { order, code } = source;
  const reason = order.reason;
  return {
    RequestedProcedureID: source.requestedProcedureId,
    RequestedProcedureDescription: shortened(code.meaning ?? order.service.meaning ?? code.code, 64),
    RequestedProcedureCodeSequence: codeItems(code).length > 0 ? codeItems(code) : codeItems(order.service),
    StudyInstanceUID: source.studyInstanceUid,
    ReferencedStudySequence: [
      { ReferencedSOPClassUID: DETACHED_STUDY_MANAGEMENT, ReferencedSOPInstanceUID: source.studyInstanceUid },
    ],
    RequestedProcedurePriority: order.priority === undefined ? null : (priorities[order.priority] ?? null),
    PatientTransportArrangements: shortened(order.transportationMode, 64),
    ReasonForTheRequestedProcedure: shortened(reason?.meaning ?? reason?.code, 64),
    ReasonForRequestedProcedureCodeSequence: codeItems(reason),
    RequestedProcedureComments: shortened(order.comments?.join(' '), 10_240),
    ConfidentialityCode: shortened(order.confidentialityCode?.meaning ?? order.confidentialityCode?.code, 64),
    ...studyStart(source.begun),
  };
}

/** Who gave the accession number: the placer where it is the order's own, else we. */
function issuerOfAccession({ order, accessionNumber }: WorklistSource, { application }: WorklistSite): DatasetInput[] {
  const isOurs = order.requestedAccessionNumber !== accessionNumber;
  return authorityItem(isOurs ? { namespace: application } : (order.requestedAccessionNumberIssuer ?? {}));
}

function requestKeys(source: WorklistSource, site: WorklistSite): DatasetInput {
  const { order } = source;
  const organisation = order.enteringOrganisation;
  return {
    AccessionNumber: source.accessionNumber,
    IssuerOfAccessionNumberSequence: issuerOfAccession(source, site),
    RequestingPhysician: personNameOf(order.orderingProvider),
    ReferringPhysicianName: personNameOf(source.visit?.referringDoctor),
    PlacerOrderNumberImagingServiceRequest: shortened(order.placerOrderNumber?.id, 64),
    OrderPlacerIdentifierSequence: order.placerOrderNumber ? authorityItem(order.placerOrderNumber) : [],
    FillerOrderNumberImagingServiceRequest: source.fillerOrderNumber,
    OrderFillerIdentifierSequence: authorityItem({ namespace: site.application }),
    InstitutionName: shortened(organisation?.meaning, 64),
    InstitutionCodeSequence: codeItems(organisation),
    InstitutionalDepartmentName: shortened(order.enterersDepartment, 64),
    InstitutionAddress: shortened(joined(order.orderingFacilityAddress), 1_024),
  };
}

function patientKeys(source: WorklistSource): DatasetInput {
  const [identifier, ...others] = source.identifiers;
  return {
    PatientName: personNameOf(source.patientName),
    PatientID: identifier?.value ?? null,
    IssuerOfPatientID: shortened(identifier?.assigningAuthority, 64),
    IssuerOfPatientIDQualifiersSequence: identifier?.universalId === undefined ? [] : [universalEntity(identifier)],
    OtherPatientIDsSequence: others.map((other) => ({
      PatientID: other.value,
      IssuerOfPatientID: shortened(other.assigningAuthority, 64),
      TypeOfPatientID: 'TEXT',
    })),
    PatientBirthDate: source.birthDate?.replaceAll('-', '') ?? null,
    PatientSex: source.sex === null ? null : (sexes[source.sex] ?? null),
    PatientMotherBirthName: personNameOf(source.demographics.motherName),
    PatientAddress: shortened(joined(source.demographics.address), 64),
    PatientComments: shortened(source.demographics.comments?.join(' '), 10_240),
    PatientPrimaryLanguageCodeSequence: codeItems(source.demographics.primaryLanguage),
    PatientWeight: decimal(source.order.bodyWeight),
    PatientSize: decimal(source.order.bodyHeight),
    PatientState: shortened(source.order.dangerCode?.meaning ?? source.order.dangerCode?.code, 64),
    MedicalAlerts: split(source.order.relevantClinicalInformation).slice(0, MOST_VALUES),
    Allergies: (source.demographics.allergies ?? []).flatMap(split).slice(0, MOST_VALUES),
    ConfidentialityConstraintOnPatientDataDescription: shortened(source.visit?.vipIndicator, 64),
    SpecialNeeds: null,
    ReferencedPatientSequence: [],
    PertinentDocumentsSequence: [],
  };
}

function visitKeys(source: WorklistSource): DatasetInput {
  const stay = { visitNumber: source.visitNumber, assigningAuthority: source.visitAuthority };
  const identifier = source.visit?.visitIdentifier ?? accountOfStay(source.demographics.accountNumber, stay);
  // HL7 table 0009, B6: pregnant; (0010,21C0) 3: definitely.
  const pregnant = source.visit?.ambulatoryStatus === 'B6';
  return {
    AdmissionID: shortened(identifier?.id, 64),
    IssuerOfAdmissionIDSequence: identifier?.assigningAuthority ? authorityItem(identifier.assigningAuthority) : [],
    RouteOfAdmissions: shortened(source.patientClass ?? undefined, 64),
    CurrentPatientLocation: locationText(source.visit?.location),
    PregnancyStatus: pregnant ? 3 : null,
  };
}

/** What an item says of the site itself. */
export interface WorklistSite {
  /** Who gives filler order and accession numbers: our MSH-3. */
  readonly application: string;
  /** IANA name: the offset of the step's start goes into the item; left out where nobody asks for it. */
  readonly timeZone?: string | undefined;
}

// (0008,0201) is about every date and time of the item; a step's start is what a modality acts on.
function zoneKeys({ startDate, startTime }: WorklistSource, { timeZone }: WorklistSite): DatasetInput {
  if (timeZone === undefined) return {};
  return { TimezoneOffsetFromUTC: offsetAt({ date: startDate, time: startTime }, timeZone) };
}

/** The complete worklist item of one step: every return key of PS3.4 K.6-1 that a department can know. */
export function stepToWorklist(row: WorklistSource, site: WorklistSite): Dataset {
  const source = { ...row, order: orderOfService(row.order, row.serviceIndex) };
  return dataset({
    ...patientKeys(source),
    ...visitKeys(source),
    ...zoneKeys(source, site),
    ...requestKeys(source, site),
    ...procedureKeys(source),
    ScheduledProcedureStepSequence: [stepItem(source)],
  });
}

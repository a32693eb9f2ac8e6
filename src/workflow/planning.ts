import { type LocalDateTime, plusMinutes } from '../platform/clock.ts';
import type { Catalogue } from '../platform/catalogue-schema.ts';
import { SwfError } from '../platform/errors.ts';
import type {
  CodedValue,
  OrderedService,
  PlacerOrder,
  PlannedProcedure,
  PlannedStep,
  RequestedStep,
  StepDetails,
  StepRemarks,
} from './vocabulary.ts';

/** Numbers and UIDs for one order, taken before the plan is made: planning asks nobody. */
export interface PlanIdentifiers {
  readonly requestedProcedureIds: readonly string[];
  readonly studyInstanceUids: readonly string[];
  readonly scheduledProcedureStepIds: readonly string[];
}

interface StepTemplate extends StepDetails {
  readonly modality: string;
  readonly stations: readonly string[];
  readonly minutes: number;
}

interface ProcedureTemplate {
  readonly code: CodedValue;
  readonly serviceIndex: number;
  readonly steps: readonly StepTemplate[];
}

const UNKNOWN_STEP_MINUTES = 30;
// PS3.3 C.7.3.1.1.1: OT, other, where neither plan nor order names a modality; the worklist needs a value.
const OTHER_MODALITY = 'OT';

function catalogueEntry(service: CodedValue, catalogue: Catalogue): Catalogue[number] | undefined {
  const sameCode = catalogue.filter((entry) => entry.service.code === service.code);
  const exact = sameCode.find((entry) => entry.service.scheme === service.scheme);
  if (exact) return exact;
  // An order that names no coding scheme means the only service with that code.
  return service.scheme === undefined && sameCode.length === 1 ? sameCode[0] : undefined;
}

/** How a site plans: its catalogue, and what it does with a service that is not in it. */
export interface PlanSite {
  readonly catalogue: Catalogue;
  readonly unknownProcedure: 'accept' | 'reject';
  /** The number of the order's first OBR in its message, from 1: where an error is shown. */
  readonly firstObr?: number;
}

function plannedBySender(step: RequestedStep, ordered: OrderedService, description: string): StepTemplate {
  return {
    modality: step.modality ?? ordered.modality ?? OTHER_MODALITY,
    stations:
      step.scheduledStationAeTitles.length > 0
        ? step.scheduledStationAeTitles
        : (ordered.scheduledStationAeTitles ?? []),
    minutes: step.minutes ?? UNKNOWN_STEP_MINUTES,
    description: step.protocols[0]?.meaning ?? description,
    protocols: step.protocols,
    ...remarksOf(step),
  };
}

/** What is said for the worklist of a step, as far as it is said. */
function remarksOf({ stationName, location, contrastAgent, preMedication }: Undefinable<StepRemarks>): StepRemarks {
  const remarks = { stationName, location, contrastAgent, preMedication };
  return Object.fromEntries(Object.entries(remarks).filter(([, text]) => text !== undefined));
}

type Undefinable<T> = { readonly [K in keyof T]?: T[K] | undefined };

/** The details of a step alone, as they are stored. */
export function stepDetailsOf(step: StepDetails): StepDetails {
  return { description: step.description, protocols: step.protocols, ...remarksOf(step) };
}

/** A service without an entry: the steps that its sender planned (IPC), else one from OBR-4 and OBR-24. */
function uncataloguedProcedure(ordered: OrderedService): Omit<ProcedureTemplate, 'serviceIndex'> {
  const { service, procedureCode } = ordered;
  const code = procedureCode?.code === undefined ? service : procedureCode;
  const text = code.meaning ?? service.meaning ?? code.code ?? service.code ?? '';
  const description = [...text].slice(0, 64).join('');
  const steps = ordered.steps ?? [{ protocols: [], scheduledStationAeTitles: [] }];
  return { code, steps: steps.map((step) => plannedBySender(step, ordered, description)) };
}

/** What one OBR becomes, by the catalogue. Throws 'value-not-found' (HL7 103) for one that the site does not plan. */
function templatesOfService(
  ordered: OrderedService,
  site: PlanSite,
  serviceIndex: number,
): Omit<ProcedureTemplate, 'serviceIndex'>[] {
  const entry = catalogueEntry(ordered.service, site.catalogue);
  if (entry) {
    return entry.requestedProcedures.map((procedure) => ({
      code: procedure.code,
      steps: procedure.steps.map((step) => ({
        modality: step.modality,
        stations: step.stations,
        minutes: step.minutes,
        protocols: step.protocols,
        description: step.description ?? step.protocols[0]?.meaning ?? procedure.code.meaning,
        ...remarksOf(step),
      })),
    }));
  }
  if (site.unknownProcedure === 'accept') return [uncataloguedProcedure(ordered)];
  throw new SwfError('value-not-found', 'the ordered service (OBR-4) is not in the catalogue', {
    location: `OBR^${(site.firstObr ?? 1) + serviceIndex}^4`,
  });
}

/** Every service of an order, one for each OBR. */
const servicesOf = (order: PlacerOrder): OrderedService[] => [order, ...(order.furtherServices ?? [])];

/** What the whole order becomes, each procedure with the OBR that it is of. */
function templatesOf(order: PlacerOrder, site: PlanSite): ProcedureTemplate[] {
  return servicesOf(order).flatMap((ordered, serviceIndex) =>
    templatesOfService(ordered, site, serviceIndex).map((template) => ({ ...template, serviceIndex })),
  );
}

/** What holds for the OBR alone that says it: another OBR must not take over its side or what it examines. */
const neverInherited: ReadonlySet<keyof PlacerOrder> = new Set<keyof OrderedService>([
  'service',
  'modality',
  'procedureCode',
  'specimenSource',
  'placerSupplementalServiceInformation',
  'scheduledStationAeTitles',
  'steps',
]);

/** An order as the OBR of one of its procedures has it: what a further OBR leaves unsaid is as in the first, sides apart. */
export function orderOfService(order: PlacerOrder, serviceIndex: number): PlacerOrder {
  const further = serviceIndex === 0 ? undefined : order.furtherServices?.[serviceIndex - 1];
  if (!further) return order;
  const inherited = Object.entries(order).filter(([key]) => !neverInherited.has(key as keyof PlacerOrder));
  return { ...Object.fromEntries(inherited), ...further };
}

/** A procedure of the catalogue, whichever service has it: its code, and what each of its steps is. */
export function plannedProcedureOf(code: CodedValue, catalogue: Catalogue) {
  const sameCode = catalogue
    .flatMap(({ requestedProcedures }) => requestedProcedures)
    .filter((procedure) => procedure.code.code === code.code);
  const exact = sameCode.find((procedure) => procedure.code.scheme === code.scheme);
  const found = exact ?? (code.scheme === undefined ? sameCode[0] : undefined);
  return (
    found && { code: found.code, steps: found.steps.map((step) => ({ ...step, ...describedAs(step, found.code) })) }
  );
}

const describedAs = (
  step: Catalogue[number]['requestedProcedures'][number]['steps'][number],
  code: { readonly meaning: string },
) => ({ description: step.description ?? step.protocols[0]?.meaning ?? code.meaning });

/**
 * What an order calls the procedure that was performed with this modality before it came, and its step: those of the
 * plan, which may have others. Throws like planProcedures.
 */
export function performedAs(
  order: PlacerOrder,
  site: PlanSite,
  modality: string,
): { readonly code: CodedValue; readonly contents: readonly Pick<PlannedStep, 'description' | 'protocols'>[] } {
  const templates = templatesOf(order, site);
  const ofModality = (template: ProcedureTemplate) => template.steps.find((step) => step.modality === modality);
  const meant = templates.find(ofModality) ?? templates[0];
  const step = meant && ofModality(meant);
  // What the order does not say of a step, its modality has said.
  return { code: meant?.code ?? order.service, contents: step && step.protocols.length > 0 ? [step] : [] };
}

/** How many identifiers a plan will need, and whether the catalogue has all services. Throws like planProcedures. */
export function planSize(
  order: PlacerOrder,
  site: PlanSite,
): { readonly procedures: number; readonly steps: number; readonly inCatalogue: boolean } {
  const services = servicesOf(order);
  const templates = templatesOf(order, site);
  return {
    procedures: templates.length,
    steps: templates.reduce((sum, template) => sum + template.steps.length, 0),
    inCatalogue: services.every(({ service }) => catalogueEntry(service, site.catalogue) !== undefined),
  };
}

/**
 * Whether the steps of a procedure were guessed from the order: the site has a catalogue and the service is not in it, nor
 * has its sender planned them.
 */
export function isGuessed(order: PlacerOrder, serviceIndex: number, catalogue: Catalogue): boolean {
  const ordered = servicesOf(order)[serviceIndex];
  if (!ordered || ordered.steps || catalogue.length === 0) return false;
  return catalogueEntry(ordered.service, catalogue) === undefined;
}

/** When the first step starts: as the order asks, else at its receipt to the minute. */
function firstStart(order: PlacerOrder, receivedAt: LocalDateTime): LocalDateTime {
  if (order.requestedStart) return { date: order.requestedStart.date, time: order.requestedStart.time ?? '00:00:00' };
  return { date: receivedAt.date, time: `${receivedAt.time.slice(0, 5)}:00` };
}

function taken(values: readonly string[], index: number): string {
  const value = values[index];
  if (value === undefined) throw new SwfError('internal', 'a plan was given too few identifiers');
  return value;
}

/**
 * The requested procedures and steps of one order. Steps follow each other without a gap, over all procedures of
 * the order: a patient can be at one station at a time.
 * Throws 'value-not-found' (HL7 103) where the catalogue has no entry and the site rejects unknown services.
 */
export function planProcedures(
  order: PlacerOrder,
  site: PlanSite,
  identifiers: PlanIdentifiers,
  receivedAt: LocalDateTime,
): PlannedProcedure[] {
  let start = firstStart(order, receivedAt);
  let stepIndex = 0;
  const planStep = (template: StepTemplate): PlannedStep => {
    const step: PlannedStep = {
      scheduledProcedureStepId: taken(identifiers.scheduledProcedureStepIds, stepIndex++),
      modality: template.modality,
      scheduledStationAeTitles: template.stations,
      start,
      minutes: template.minutes,
      ...stepDetailsOf(template),
    };
    start = plusMinutes(start, template.minutes);
    return step;
  };
  return templatesOf(order, site).map((template, index) => ({
    requestedProcedureId: taken(identifiers.requestedProcedureIds, index),
    studyInstanceUid: taken(identifiers.studyInstanceUids, index),
    code: template.code,
    serviceIndex: template.serviceIndex,
    steps: template.steps.map(planStep),
  }));
}

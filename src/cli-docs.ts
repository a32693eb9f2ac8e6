import { toDirectedGraph } from 'xstate/graph';
import { transactionList } from './transactions/index.ts';
import { discontinuationReasons } from './workflow/discontinuation.ts';
import { coreTransactions } from './workflow/core-transactions.ts';
import { type ProcedureEventType } from './workflow/procedure-events.ts';
import { procedureMachine } from './workflow/procedure-machine.ts';

interface Edge {
  readonly from: string;
  readonly event: string;
  readonly to: string;
}

/** Transitions of one region, as the machine itself has them; an event that stays is written down as well. */
function edgesOf(region: string): { states: string[]; edges: Edge[] } {
  const graph = toDirectedGraph(procedureMachine).children.find((child) => child.stateNode.key === region);
  const nodes = graph?.children ?? [];
  const edges = nodes.flatMap((node) =>
    node.edges.map((edge) => ({ from: node.stateNode.key, event: edge.label.text, to: edge.target.key })),
  );
  return { states: nodes.map((node) => node.stateNode.key), edges };
}

function matrix(region: string): string[] {
  const { states, edges } = edgesOf(region);
  const events = [...new Set(edges.map((edge) => edge.event))];
  const cell = (from: string, event: string): string => {
    const targets = edges.filter((edge) => edge.from === from && edge.event === event).map((edge) => edge.to);
    return targets.length === 0 ? '' : [...new Set(targets)].join(' or ');
  };
  return [
    `| state | ${events.join(' | ')} |`,
    `| --- |${' --- |'.repeat(events.length)}`,
    ...states.map((state) => `| ${state} | ${events.map((event) => cell(state, event)).join(' | ')} |`),
  ];
}

function diagram(region: string): string[] {
  const { states, edges } = edgesOf(region);
  const lines = new Set(edges.map(({ from, event, to }) => `  ${from} --> ${to}: ${event}`));
  return ['```mermaid', 'stateDiagram-v2', `  [*] --> ${states[0] ?? ''}`, ...lines, '```'];
}

const causes: Readonly<Record<ProcedureEventType, string>> = {
  schedule: 'the site schedules by itself, at once after RAD-2; without `policy.autoSchedule` staff do',
  orderNumberAssigned: 'RAD-3 NA: the placer has numbered an order of the department',
  patientRegistered: 'RAD-1 for a patient whom an order had created',
  procedureScheduledConfirmed: 'AA to a RAD-4',
  procedureScheduledRefused: 'AE or AR to a RAD-4',
  procedureUpdateConfirmed: 'AA to a RAD-13 (no effect but the history)',
  procedureUpdateRefused: 'AE or AR to a RAD-13 (no effect but the history)',
  orderStatusConfirmed: 'AA to a RAD-3 (no effect but the history)',
  orderStatusRefused: 'AE or AR to a RAD-3 (no effect but the history)',
  appointmentConfirmed: 'AA to a RAD-48 (no effect but the history)',
  appointmentRefused: 'AE or AR to a RAD-48 (no effect but the history)',
  resultConfirmed: 'AA to a result (no effect but the history)',
  resultRefused: 'AE or AR to a result (no effect but the history)',
  change: 'RAD-2 XO, or staff give it another code',
  cancel: 'RAD-2 CA before anything was performed, or staff',
  discontinue: 'RAD-2 DC once something was performed, or staff',
  hold: 'RAD-2 HD, or staff',
  release: 'RAD-2 RL, or staff',
  reschedule: 'staff move steps to another time or station',
  arrive: 'staff note that the patient has arrived',
  depart: 'staff note that the patient has left without the examination',
  decide: 'staff say of a discontinued MPPS that it was enough, or that the step is performed again',
  offered: 'RAD-5: a worklist answer contained one of its steps for the first time',
  performedStepStarted:
    'RAD-6: an MPPS N-CREATE that fits open steps, or completed ones that it goes on with (append case)',
  performedStepUpdated: 'RAD-7: an N-SET that leaves the MPPS IN PROGRESS',
  performedStepCompleted: 'RAD-7: an N-SET to COMPLETED',
  performedStepDiscontinued:
    'RAD-7: an N-SET to DISCONTINUED; its reason says whether the step ends, is open again, or waits for a person',
  evidenceStarted: 'RAD-20: an evidence creator works on its images (no effect but the history)',
  evidenceUpdated: 'RAD-21: an N-SET that leaves its MPPS IN PROGRESS (no effect but the history)',
  evidenceEnded: 'RAD-21: its MPPS is final; the instances that it names count',
  availabilityReported: 'RAD-49 or RAD-11: news of how many instances are available',
  resultReported: 'ORU^R01 from a report manager that is news',
};

/** docs/workflow.md, made from the machine: its regions, their matrices and drawings, and what causes each event. */
export function workflowDocument(): string {
  const regions = ['acquisition', 'announcement', 'availability', 'report'];
  return [
    '<!-- Written by `npm run docs` from src/workflow/procedure-machine.ts. Changes by hand are lost. -->',
    '',
    '# The machine of one requested procedure',
    '',
    'Five regions move side by side. `facts` takes down what each event says; the other four follow from it. An event that',
    'the machine does not allow is refused, and the refusal is in the history of the procedure.',
    '',
    ...regions.flatMap((region) => [`## ${region}`, '', ...diagram(region), '', ...matrix(region), '']),
    '## What causes an event',
    '',
    '| event | cause |',
    '| --- | --- |',
    ...Object.entries(causes).map(([event, cause]) => `| ${event} | ${cause} |`),
    '',
    '## What the reason of a discontinued MPPS means',
    '',
    'DCM codes of (0040,0281); any other reason, and none, is `decide`. `wrongEntry`: the step is open again; `ends`: the',
    'examination will not take place (RAD-13 DC/CA, RAD-3 SC/DC); `cancelsOrder`: the same, and RAD-3 says OC; `holds`: what',
    'was ordered is wrong, the step is off the worklist until staff release it; `decide`: a person has to say how it goes on.',
    '`GET /api/unscheduled` lists what waits for a person, with what departments usually do next.',
    '',
    '| code | reason | effect | usually next |',
    '| --- | --- | --- | --- |',
    ...Object.entries(discontinuationReasons).map(
      ([code, { meaning, effect, proposal }]) => `| ${code} | ${meaning} | ${effect} | ${proposal} |`,
    ),
    '',
    '## The eight transactions',
    '',
    '| step | transaction |',
    '| --- | --- |',
    ...coreTransactions.map((transaction, index) => `| ${index + 1} | ${transaction} |`),
    '',
    '## Where the code of a transaction is',
    '',
    '| transaction | name | direction | service | file in src/transactions |',
    '| --- | --- | --- | --- | --- |',
    ...transactionList.map(
      ({ id, name, direction, service, file }) => `| ${id} | ${name} | ${direction} | ${service} | \`${file}\` |`,
    ),
    '',
  ].join('\n');
}

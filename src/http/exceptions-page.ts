import { wallClock } from '../platform/clock.ts';
import { type Markup, markup } from '../platform/markup.ts';
import type { ExceptionView } from '../store/read-exceptions.ts';
import { exceptionKinds } from '../workflow/exceptions.ts';
import { page } from './html.ts';
import { commandHints, commandOf } from './next-step-command.ts';
import { nextStepsOf } from './next-steps.ts';

interface Shown {
  readonly address: string;
  readonly token: string | undefined;
  /** IANA name: the wall clock on which people read. */
  readonly timeZone: string;
}

function aboutOf(one: ExceptionView): Markup {
  const numbers = [one.placerOrderNumber, one.accessionNumber, one.destination, one.mppsUid];
  const procedures = one.requestedProcedureIds.map(
    (id) => markup`<a href="/api/procedures/${encodeURIComponent(id)}/history">${id}</a> `,
  );
  return markup`${procedures} ${numbers.filter((number) => number !== null).join(', ')}`;
}

function section(one: ExceptionView, shown: Shown): Markup {
  const since = wallClock(new Date(one.since), shown.timeZone);
  const steps = nextStepsOf(one).map(
    (step) =>
      markup`<p><strong>${step.action}</strong>: ${step.summary}</p>
        <pre>${commandOf(step, shown)}</pre>`,
  );
  return markup`<h2 id="${one.id}">${one.kind}, since ${since}</h2>
    <p>${exceptionKinds[one.kind].sentence} ${one.detail ?? ''}</p>
    <p class="more">${aboutOf(one)}</p>
    ${steps}`;
}

/** What a person has to look at as a page, with the commands to type. It changes nothing. */
export function exceptionsPage(
  { items, more }: { readonly items: readonly ExceptionView[]; readonly more: string | undefined },
  shown: Shown,
): string {
  const nothing = items.length === 0 ? markup`<p>Nobody has to look at anything.</p>` : markup``;
  const hints = items.length === 0 ? [] : commandHints.map((hint) => markup`<p class="more">${hint}</p>`);
  const link = more === undefined ? markup`` : markup`<p><a href="${more}">Older ones</a></p>`;
  return page(
    'swf-orchestrator: what a person has to look at',
    markup`<h1>What a person has to look at</h1>
      ${nothing} ${hints} ${items.map((one) => section(one, shown))} ${link}`,
  );
}

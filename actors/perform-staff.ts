import { type Verdict, verdict } from './checks.ts';
import type { Notes } from './notes.ts';
import { type Outcome, type Playing, broken, expectAndCapture, judged, nothingWrong } from './outcome.ts';
import { jsonValueAt } from './places.ts';
import type { StepOf } from './scenario.ts';
import { type HttpAddress, type Tester, requestByHttp } from './staff.ts';
import { expand, expandDeep } from './template.ts';

type Deed = StepOf<'do'>['do'];

/**
 * What a person does at the Order Filler: an HTTP request to ours; the tester is asked to do it at anybody else's; where
 * nobody can be asked it is skipped.
 */
export async function doAsStaff({ do: deed }: StepOf<'do'>, playing: Playing, notes: Notes): Promise<Outcome> {
  const { stage, scope } = playing;
  const said = expand(deed.say, scope.forOneMessage());
  const { http } = stage.orderFiller;
  if (http) return request({ ...deed, say: said }, http, { playing, notes });
  if (stage.tester) return ask({ ...deed, say: said }, stage.tester, playing);
  const skipped = `a person has to do this at the Order Filler, and nobody is at a terminal to be asked: ${said}`;
  return { ...nothingWrong, skipped };
}

async function request(
  deed: Deed,
  http: HttpAddress,
  { playing, notes }: { playing: Playing; notes: Notes },
): Promise<Outcome> {
  const { scope, scenario } = playing;
  const valueOf = scope.forOneMessage();
  // Values go into the path as one piece of it each.
  const inPath = (name: string): string | undefined => {
    const value = valueOf(name);
    return value === undefined ? undefined : encodeURIComponent(value);
  };
  const method = deed.post === undefined ? 'GET' : 'POST';
  const path = expand(deed.post ?? deed.get ?? '/', inPath);
  const body = expandDeep(deed.body, valueOf);
  const file = notes.json('staff-request', { method, path, ...(body === undefined ? {} : { body }) });
  const exchange = notes.sent({ from: 'staff', to: 'OF', protocol: 'http', type: method, file });
  const signal = AbortSignal.any([playing.signal, AbortSignal.timeout(scenario.within)]);
  const answer = await requestByHttp(http, { method, path, body, reason: deed.say }, signal);
  notes.answered(exchange, String(answer.status), notes.json('staff-answer', answer));
  const status = statusVerdict(deed.status, answer.status);
  const valueAt = (place: string): string | undefined => jsonValueAt(answer.body, place);
  const looked = status.holds ? expectAndCapture(deed, { scope, valueAt }) : [];
  return judged([status, ...looked], jsonValueAt(answer.body, 'detail') ?? jsonValueAt(answer.body, 'title'));
}

/** Without a word in the scenario any success will do. */
function statusVerdict(expected: number | undefined, received: number): Verdict {
  if (expected !== undefined) return verdict('status', String(expected), String(received));
  return { ...verdict('status', { matches: '^2' }, String(received)), expected: '200 to 299' };
}

async function ask(deed: Deed, tester: Tester, { scope, signal }: Playing): Promise<Outcome> {
  const refused = (deed.status ?? 200) >= 400 ? ['The Order Filler is expected to refuse it.'] : [];
  const expected = expectAndCapture({ expect: deed.expect }, { scope, valueAt: () => undefined });
  const look = expected.map(({ place, expected: what }) => `Look at ${place}: expected ${what}.`);
  const question = ['', `At the Order Filler: ${deed.say}`, ...refused, ...look].join('\n  ');
  const typed = await tester(`${question}\n  Enter when it is so, n when it is not, s to skip: `);
  if (/^s/i.test(typed.trim())) return { ...nothingWrong, skipped: `the tester skipped this: ${deed.say}` };
  if (/^n/i.test(typed.trim())) return broken('the tester says that it is not so');
  const captured: Verdict[] = [];
  for (const [name, place] of Object.entries(deed.capture ?? {})) {
    if (signal.aborted) break;
    const value = (await tester(`  What is ${place} there? `)).trim();
    if (value !== '') scope.capture(name, value);
    captured.push({ ...verdict(place, '*', value), captured: name });
  }
  const seen = expected.map((one) => ({ ...one, received: 'as expected, says the tester', holds: true }));
  return { verdicts: [...seen, ...captured], problems: [] };
}

const lives = {
  kill: 'kill the Order Filler at once, in the middle of what it does (kill -9)',
  start: 'start the Order Filler again, with the data that it had',
} as const;

/** What happens to the Order Filler as a process: done to the server of `--start`, asked of a tester, else skipped. */
export async function toOrderFiller(what: keyof typeof lives, { stage }: Playing): Promise<Outcome> {
  if (stage.life) {
    await stage.life[what]();
    return nothingWrong;
  }
  if (!stage.tester) {
    const skipped = `only a server of --start can be killed, and nobody is at a terminal to be asked to ${lives[what]}`;
    return { ...nothingWrong, skipped };
  }
  const typed = await stage.tester(`\n  Please ${lives[what]}.\n  Enter when it is done, s to skip: `);
  return /^s/i.test(typed.trim()) ? { ...nothingWrong, skipped: `the tester did not ${lives[what]}` } : nothingWrong;
}

import { bodyTypes } from './body.ts';
import { type Markup, markup } from '../platform/markup.ts';
import { page } from './html.ts';
import { COMPONENTS, type JsonSchema, type Parameter, componentsOf, parametersOf } from './describe-routes.ts';
import type { Route } from './route.ts';

/** A schema in one word or a few: `string`, `integer | null`, `scheduled | held`, the name of another shape. */
function typeText(schema: JsonSchema): string {
  if (schema.$ref !== undefined) return schema.$ref.slice(COMPONENTS.length);
  if (schema.enum) return schema.enum.map((value) => (value === '' ? 'empty' : String(value))).join(' | ');
  if (schema.anyOf) return schema.anyOf.map(typeText).join(' | ');
  if (schema.items) return `${typeText(schema.items)}[]`;
  return [schema.type ?? 'any'].flat().join(' | ');
}

/** The schema behind arrays, when it has members to be written out. */
function membersOf(schema: JsonSchema): JsonSchema | undefined {
  if (schema.properties) return schema;
  const inner = [schema.items, ...(schema.anyOf ?? [])].find((one) => one !== undefined && membersOf(one));
  return inner && membersOf(inner);
}

/** The members of an object, one a line, `?` after those that may be absent. */
function membersText(schema: JsonSchema, indent = ''): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, member]) => {
    const mark = schema.required?.includes(name) ? '' : '?';
    const note = member.description === undefined ? '' : `   ${member.description}`;
    const line = `${indent}${name}${mark}: ${typeText(member)}${note}`;
    const inner = membersOf(member);
    return inner ? [line, ...membersText(inner, `${indent}    `)] : [line];
  });
}

function parameterRow({ name, in: place, description, schema }: Parameter): Markup {
  const usual = schema.default === undefined ? '' : `default ${schema.default}`;
  const about = [description, usual].filter(Boolean).join(' ');
  return markup`<tr>
    <td><code>${name}</code></td>
    <td>${place}</td>
    <td>${typeText(schema)}</td>
    <td>${about}</td>
  </tr>`;
}

function parametersTable(parameters: readonly Parameter[]): Markup {
  if (parameters.length === 0) return markup``;
  return markup`<table>
    <tr>
      <th>parameter</th>
      <th>in</th>
      <th>type</th>
      <th></th>
    </tr>
    ${parameters.map(parameterRow)}
  </table>`;
}

function shapeLink({ name }: { readonly name: string }): Markup {
  return markup`<a href="#${name}">${name}</a>`;
}

function routeSection(route: Route): Markup {
  const { response, texts = [], body } = route;
  const shape = response ? [markup`${shapeLink(response)} `] : [];
  const taken = body ? [markup`<p class="more">Takes: ${shapeLink(body)} as ${bodyTypes(route).join(' or ')}</p>`] : [];
  return markup`<h2><code>${route.method.toUpperCase()} ${route.path}</code></h2>
    <p>${route.summary}</p>
    ${parametersTable(parametersOf(route))} ${taken}
    <p class="more">Answers: ${shape}${texts.join(', ')}</p>`;
}

function shapeSection([name, schema]: [string, JsonSchema]): Markup {
  const members = membersText(schema).join('\n');
  return markup`<h2 id="${name}">${name}</h2>
    <pre>${members || typeText(schema)}</pre>`;
}

/** The interface as a page for people, from the table of routes. */
export function docsPage(routes: readonly Route[], version: string): string {
  const shapes = Object.entries(componentsOf(routes));
  return page(
    'swf-orchestrator: web interface',
    markup`<h1>Web interface of swf-orchestrator ${version}</h1>
      <p>
        The same as a document for programs: <a href="/openapi.json">/openapi.json</a>. A <code>POST</code> takes
        <code>application/json</code>; where nothing need be said, its body may be left out. When the server was given a
        token, everything but <code>/livez</code> needs <code>Authorization: Bearer TOKEN</code>. An error is
        <code>application/problem+json</code>; its <code>type</code> is the code of the failure.
      </p>
      ${routes.map(routeSection)}
      <h1>Shapes</h1>
      ${shapes.map(shapeSection)}`,
  );
}

import { type Markup, markup } from '../platform/markup.ts';

const css: Markup = {
  markup: `
    body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; font: 1rem/1.5 system-ui, sans-serif; color: #1b1b1b; }
    h1, h2 { line-height: 1.2; }
    h2 { margin-top: 2.5rem; border-top: 1px solid #ccc; padding-top: 1rem; font-size: 1.1rem; }
    code, pre { font: 0.9em/1.4 ui-monospace, monospace; }
    pre { background: #f5f5f5; padding: 0.75rem; white-space: pre-wrap; overflow-wrap: anywhere; }
    table { border-collapse: collapse; }
    th, td { text-align: left; vertical-align: top; padding: 0.2rem 1rem 0.2rem 0; }
    .more { color: #555; }
    @media (prefers-color-scheme: dark) {
      body { background: #181818; color: #e6e6e6; }
      pre { background: #252525; }
      a { color: #8ab4f8; }
      .more { color: #aaa; }
    }`,
};

/** A whole page: no script, nothing from elsewhere. */
export function page(title: string, body: Markup): string {
  return markup`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
        <style>
          ${css}
        </style>
      </head>
      <body>
        ${body}
      </body>
    </html>`.markup;
}

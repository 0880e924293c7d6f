import type { SocketDescription } from '../ws/asyncapi.ts';
import { PROCESSOR } from '../ws/envelope.ts';
import { type Field, fieldsOf, propertyOf } from './fields.ts';
import { Html, html } from './html.ts';

type Operation = SocketDescription['operations'][string] & { name: string };
type Message = SocketDescription['components']['messages'][string] & { name: string };

const STYLE = new Html(`
  :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
  body { margin: 2rem auto; max-width: 60rem; padding: 0 1rem; }
  section { border-top: 1px solid #8886; margin-top: 2rem; }
  table { border-collapse: collapse; display: block; margin: .5rem 0; overflow-x: auto; }
  th, td { border: 1px solid #8886; padding: .2rem .6rem; text-align: left; vertical-align: top; }
  pre { background: #8882; overflow: auto; padding: .6rem; }
  h1, h2, h3, nav, p { overflow-wrap: anywhere; }
  nav a { margin-right: .6rem; }`);

/** A page for people that shows the description of the WebSocket. It loads nothing and runs nothing. */
export function socketPage(description: SocketDescription): string {
  const { info, channels, components } = description;
  const operations = Object.entries(description.operations).map(([name, operation]) => ({ name, ...operation }));
  const messages = new Map(Object.entries(components.messages).map(([name, message]) => [name, { name, ...message }]));
  const requests = operations.filter(({ action }) => action === 'receive');
  const events = operations.filter((operation) => operation['x-optIn']);
  const broadcasts = operations.filter(({ name, action, ...rest }) => action === 'send' && !rest['x-optIn'] && name !== PROCESSOR);
  const ofNoRequest = operations.filter(({ name }) => name === PROCESSOR);
  const errors = [...messages.values()].filter(({ payload }) => payload.properties?.error);
  return html`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<link rel="icon" href="data:,">
<title>${info.title}: the WebSocket</title>
<style>${STYLE}</style>
<h1>${info.title}: the WebSocket at <code>${channels.messenger.address}</code></h1>
${info.description.split('\n\n').map((paragraph) => html`<p>${withCode(paragraph)}</p>\n`)}
<p>The <a href="/api/">REST side</a> has a page of its own. For tools, <a href="/api/asyncapi.yaml">asyncapi.yaml</a> says what this page says.</p>
<h2>Requests</h2>${linksTo(requests)}
<h2>Broadcasts</h2>${linksTo(broadcasts)}
<h2>Events, for connections that asked with <a href="#subscribe">subscribe</a></h2>${linksTo(events)}
<h2>When something is wrong</h2><nav><a href="#errors">errors</a> <a href="#close-codes">close codes</a></nav>
${requests.map((request) => showRequest(request, messages))}
${[...broadcasts, ...events, ...ofNoRequest].map((operation) => showSent(operation, messages))}
<section id="errors"><h2>Errors</h2>
${errors.map((error) => html`<h3 id="${error.name}"><code>${error.name}</code></h3>${examplesOf(error)}\n`)}</section>
<section id="close-codes"><h2>Close codes</h2><table>
${Object.entries(channels.messenger['x-closeCodes']).map(([code, meaning]) => html`<tr><th>${code}<td>${meaning}\n`)}</table></section>
</html>
`.text;
}

function showRequest(request: Operation, all: ReadonlyMap<string, Message>): Html {
  const [answer, ...errors] = named(request.reply?.messages ?? [], all);
  const show = (message: Message) => html`${table(fieldsOf(propertyOf(message.payload, 'params')))}${examplesOf(message)}`;
  return html`<section id="${request.name}"><h2><code>${request.title}</code></h2><p>${withCode(request.summary)}.</p>
<h3>Params</h3>${named(request.messages, all).map(show)}
<h3>Params of the answer</h3>${answer ? show(answer) : []}
<h3>Errors</h3>${linksTo(errors)}</section>
`;
}

/** A broadcast is shown; what is sent as one of several messages names them. */
function showSent(operation: Operation, all: ReadonlyMap<string, Message>): Html {
  const messages = named(operation.messages, all);
  const show = (message: Message) =>
    html`<h3>Item</h3>${table(fieldsOf(propertyOf(message.payload, 'params', 'item')))}${examplesOf(message)}`;
  return html`<section id="${operation.name}"><h2><code>${operation.title}</code></h2><p>${withCode(operation.summary)}.</p>
${messages.length === 1 ? messages.map(show) : linksTo(messages)}</section>
`;
}

const named = (references: { $ref: string }[], messages: ReadonlyMap<string, Message>): Message[] =>
  references.flatMap(({ $ref }) => messages.get($ref.slice($ref.lastIndexOf('/') + 1)) ?? []);

const linksTo = (targets: { name: string; title: string }[]): Html =>
  html`<nav>${targets.map(({ name, title }) => html`<a href="#${name}">${title}</a> `)}</nav>`;

/** What stands between backquotes is code. */
const withCode = (text: string): Html[] =>
  text.split('`').map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : html`${part}`));

const table = (fields: Field[]): Html =>
  fields.length === 0
    ? html`<p>None.</p>`
    : html`<table><tr><th>field<th>what it holds<th><th>what it means
${fields.map(({ path, type, isRequired, meaning }) => html`<tr><td><code>${path}</code><td>${type}<td>${isRequired ? '' : 'may be absent'}<td>${withCode(meaning)}\n`)}</table>`;

const examplesOf = ({ examples }: Message): Html[] => examples.map(({ payload }) => html`<pre>${JSON.stringify(payload, null, 2)}</pre>`);

#!/usr/bin/env node
/** Runs the browser stories: all of them, or those named (`run.mjs files later`). Says what is missing, if something is. */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { missing } from './harness/packages.mjs';
import { ARTEFACTS } from './harness/world.mjs';

const folder = new URL('stories/', import.meta.url).pathname;
const known = readdirSync(folder).filter((name) => name.endsWith('.story.mjs')).map((name) => name.replace('.story.mjs', ''));
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !known.includes(name));
const lacking = missing();

for (const what of lacking) console.error(`browser stories: missing: ${what}`);
for (const name of unknown) console.error(`browser stories: there is no story ${name}; there are ${known.join(', ')}`);
if (lacking.length || unknown.length) process.exit(1);

const files = (wanted.length ? wanted : known).map((name) => `${folder}${name}.story.mjs`);
// Each has a server and a browser of its own; Node 18 cannot be told, and takes as many as there are processors but one.
const two = Number(process.versions.node.split('.')[0]) >= 20 ? ['--test-concurrency=2'] : [];
const { status } = spawnSync(process.execPath, ['--test', ...two, ...files], { stdio: 'inherit' });
console.error(`browser stories: pictures of every page, light, dark and narrow: ${ARTEFACTS}`);
process.exit(status ?? 1);

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { permissionSentence, permissionsText, reachOf, SENTENCES, tickedAtFirst } from '../js/plugin_permissions.js';
import english from '../js/words/en_pages.js';
import german from '../js/words/de_pages.js';

test('administrators read of each permission what the server says, in their language', () => {
  const server = readFileSync(new URL('../../../plugins/host/src/permission.rs', import.meta.url), 'utf8');
  const names = new Map([...server.matchAll(/Self::(\w+) => Some\("([^"]+)"\)/g)].map(([, variant, name]) => [variant, name]));
  const described = new Map([...server.matchAll(/Self::(\w+)(?:\(EventKind::(\w+)\))? => "([^"]+)"/g)].map(([, variant, kind, text]) => [kind ? `events.${kind.replace(/(?<!^)[A-Z]/g, '-$&').toLowerCase()}` : names.get(variant), text]));
  assert.ok(described.size >= 24, `${described.size}`);
  assert.deepEqual([...SENTENCES.keys()].sort(), [...described.keys()].sort());
  for (const [name, key] of SENTENCES) {
    assert.equal(String(english[key]).replace('’', "'"), described.get(name), name);
    assert.ok(german[key] && german[key] !== english[key], name);
  }
  assert.equal(permissionSentence({ name: 'messages.post', description: 'as the server says' }), 'Write messages as its bot');
  assert.equal(permissionSentence({ name: 'of.tomorrow', description: 'as the server says' }), 'as the server says');
});

test('how far a plugin reads is what it asks for and was granted', () => {
  const asks = ['messages.read', 'channels.public', 'channels.all'].map((name) => ({ name }));
  assert.equal(reachOf({ asks, grants: ['messages.read'] }), '');
  assert.equal(reachOf({ asks, grants: ['channels.public'] }), 'public');
  assert.equal(reachOf({ asks, grants: ['channels.public', 'channels.all'] }), 'all');
  assert.equal(reachOf({ asks: asks.slice(0, 2), grants: ['channels.all', 'channels.public'] }), 'public');
  assert.equal(reachOf({ asks: [], grants: ['channels.all'] }), '');
  assert.equal(permissionsText({ grants: ['storage', 'channels.public'] }), 'keep data, every public channel');
  assert.equal(permissionsText({ grants: ['channels.public', 'channels.all'] }), 'every channel, private ones too');
  assert.deepEqual(tickedAtFirst(['messages.read', 'channels.public', 'channels.all']), ['messages.read', 'channels.public']);
});
